#include "table.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  const void *const *(*get_api)(uint32_t version);
  const char *(*get_version)(void);
} api_base;

// The key of the session that this thread is in.
static _Thread_local volatile uint64_t running_key;
static _Thread_local bool has_stack;
static int crash_descriptor = -1;

enum { kSignals = 5, kStackBytes = 64 << 10 };
static const int crash_signals[kSignals] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
static struct sigaction earlier_actions[kSignals];

// Only calls that are safe in a handler.
static void note_crash(int number) {
  uint64_t key = running_key;
  if (key != 0 && write(crash_descriptor, &key, sizeof(key)) < 0) crash_descriptor = -1;
  for (int i = 0; i < kSignals; i++)
    if (crash_signals[i] == number) sigaction(number, &earlier_actions[i], NULL);
  raise(number);
}

void aloft_onnx_watch_crashes(int descriptor) {
  bool is_first = crash_descriptor < 0;
  crash_descriptor = descriptor;
  if (!is_first) return;
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_handler = note_crash;
  action.sa_flags = SA_ONSTACK;
  for (int i = 0; i < kSignals; i++) sigaction(crash_signals[i], &action, &earlier_actions[i]);
}

// A thread that overflows its stack needs another for the handler. Kept for the thread's life.
void aloft_onnx_enter(const aloft_onnx_session *session) {
  if (!has_stack && crash_descriptor >= 0) {
    has_stack = true;
    stack_t now;
    if (sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_DISABLE)) {
      stack_t own = {.ss_sp = malloc(kStackBytes), .ss_size = kStackBytes};
      if (own.ss_sp != NULL) sigaltstack(&own, NULL);
    }
  }
  running_key = session->key;
}

void aloft_onnx_leave(void) { running_key = 0; }

int aloft_onnx_fail(aloft_onnx_error error, const char *message) {
  if (error.capacity > 0) snprintf(error.buffer, error.capacity, "%s", message);
  return 1;
}

int aloft_onnx_check(const aloft_onnx_library *library, status failure, aloft_onnx_error error) {
  if (failure == NULL) return 0;
  fail(error, CALL(library, kGetErrorMessage, const char *, status)(failure));
  CALL(library, kReleaseStatus, void, status)(failure);
  return 1;
}

// Makes an error and reads it back: the first three places, and the release, are what we think.
static bool behaves(const aloft_onnx_library *library) {
  static const char text[] = "aloft";
  status made = CALL(library, kCreateStatus, status, int, const char *)(kInvalidArgument, text);
  if (made == NULL) return false;
  int code = CALL(library, kGetErrorCode, int, status)(made);
  const char *message = CALL(library, kGetErrorMessage, const char *, status)(made);
  bool same = code == kInvalidArgument && message != NULL && strcmp(message, text) == 0;
  CALL(library, kReleaseStatus, void, status)(made);
  return same;
}

int aloft_onnx_open(const char *path, aloft_onnx_library **result, aloft_onnx_error error) {
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) return fail(error, dlerror());
  const api_base *(*get_base)(void) = (const api_base *(*)(void))dlsym(handle, "OrtGetApiBase");
  if (get_base == NULL) return fail(error, "the library has no OrtGetApiBase");
  const api_base *base = get_base();

  aloft_onnx_library *library = calloc(1, sizeof(*library));
  if (library == NULL) return fail(error, "out of memory");
  library->version = base->get_version();
  library->api = base->get_api(kApiVersion);
  if (library->api == NULL) {
    free(library);
    return fail(error, "the library is older than ONNX Runtime 1.11");
  }
  if (!behaves(library)) {
    free(library);
    return fail(error, "the library's function table is not that of ONNX Runtime");
  }
  if (check(library,
            CALL(library, kCreateEnv, status, int, const char *, void **)(kLogError, "aloft",
                                                                          &library->environment),
            error) ||
      check(library,
            CALL(library, kCreateCpuMemoryInfo, status, int, int, void **)(1, 0, &library->memory),
            error) ||
      check(library,
            CALL(library, kGetAllocatorWithDefaultOptions, status, void **)(&library->allocator),
            error)) {
    free(library);
    return 1;
  }
  *result = library;
  return 0;
}

const char *aloft_onnx_version(const aloft_onnx_library *library) { return library->version; }

static int read_shape(const aloft_onnx_library *library, const void *info, int32_t *type,
                      int64_t *dimensions, size_t *rank, aloft_onnx_error error) {
  int element = 0;
  if (check(library,
            CALL(library, kGetTensorElementType, status, const void *, int *)(info, &element),
            error) ||
      check(library,
            CALL(library, kGetDimensionsCount, status, const void *, size_t *)(info, rank), error))
    return 1;
  *type = element;
  if (*rank > ALOFT_ONNX_MAX_RANK) return fail(error, "a tensor has more than 8 dimensions");
  return check(library,
               CALL(library, kGetDimensions, status, const void *, int64_t *, size_t)(
                   info, dimensions, *rank),
               error);
}

static int read_signature(aloft_onnx_session *session, size_t index, bool output,
                          aloft_onnx_signature *signature, aloft_onnx_error error) {
  aloft_onnx_library *library = session->library;
  char *name = NULL;
  if (check(library,
            CALL(library, output ? kSessionGetOutputName : kSessionGetInputName, status, void *,
                 size_t, void *, char **)(session->session, index, library->allocator, &name),
            error))
    return 1;
  signature->name = strdup(name);
  CALL(library, kAllocatorFree, status, void *, void *)(library->allocator, name);
  if (signature->name == NULL) return fail(error, "out of memory");

  void *type_info = NULL;
  if (check(library,
            CALL(library, output ? kSessionGetOutputTypeInfo : kSessionGetInputTypeInfo, status,
                 void *, size_t, void **)(session->session, index, &type_info),
            error))
    return 1;
  const void *tensor = NULL;
  int failed = check(library,
                     CALL(library, kCastTypeInfoToTensorInfo, status, const void *, const void **)(
                         type_info, &tensor),
                     error);
  if (!failed && tensor != NULL) {
    size_t rank = 0;
    failed = read_shape(library, tensor, &signature->type, signature->dimensions, &rank, error);
    signature->rank = (int32_t)rank;
  }
  CALL(library, kReleaseTypeInfo, void, void *)(type_info);
  return failed;
}

static int read_signatures(aloft_onnx_session *session, aloft_onnx_error error) {
  aloft_onnx_library *library = session->library;
  if (check(library,
            CALL(library, kSessionGetInputCount, status, void *, size_t *)(session->session,
                                                                           &session->input_count),
            error) ||
      check(library,
            CALL(library, kSessionGetOutputCount, status, void *, size_t *)(
                session->session, &session->output_count),
            error))
    return 1;
  session->inputs = calloc(session->input_count + 1, sizeof(aloft_onnx_signature));
  session->outputs = calloc(session->output_count + 1, sizeof(aloft_onnx_signature));
  if (session->inputs == NULL || session->outputs == NULL) return fail(error, "out of memory");
  for (size_t i = 0; i < session->input_count; i++)
    if (read_signature(session, i, false, &session->inputs[i], error)) return 1;
  for (size_t i = 0; i < session->output_count; i++)
    if (read_signature(session, i, true, &session->outputs[i], error)) return 1;
  return 0;
}

// The arena keeps what a run has used, and patterns remember where in it: large models need that, small
// ones only pay for it, in time, and in memory for each of thousands.
enum { kSmallModelBytes = 1 << 18 };

static bool is_small(const char *path) {
  struct stat file;
  return stat(path, &file) == 0 && file.st_size <= kSmallModelBytes;
}

static int choose_memory(aloft_onnx_library *library, bool is_small, void *options,
                         aloft_onnx_error error) {
  if (!is_small) return 0;
  return check(library, CALL(library, kDisableMemPattern, status, void *)(options), error) ||
         check(library, CALL(library, kDisableCpuMemArena, status, void *)(options), error);
}

int aloft_onnx_session_create(aloft_onnx_library *library, const char *path, int threads,
                              uint64_t key, aloft_onnx_session **result, aloft_onnx_error error) {
  aloft_onnx_session *session = calloc(1, sizeof(*session));
  if (session == NULL) return fail(error, "out of memory");
  session->library = library;
  session->key = key;
  bool small = is_small(path);
  if (small) session->bindings = aloft_onnx_bindings_create();
  aloft_onnx_enter(session);
  void *options = NULL;
  int failed =
      check(library, CALL(library, kCreateSessionOptions, status, void **)(&options), error) ||
      check(library,
            CALL(library, kSetSessionGraphOptimizationLevel, status, void *, int)(
                options, kAllOptimisations),
            error) ||
      check(library, CALL(library, kSetIntraOpNumThreads, status, void *, int)(options, threads),
            error) ||
      check(library, CALL(library, kSetInterOpNumThreads, status, void *, int)(options, 1),
            error) ||
      choose_memory(library, small, options, error) ||
      check(library,
            CALL(library, kCreateSession, status, void *, const char *, const void *, void **)(
                library->environment, path, options, &session->session),
            error);
  aloft_onnx_leave();
  if (options != NULL) CALL(library, kReleaseSessionOptions, void, void *)(options);
  if (failed || read_signatures(session, error)) {
    aloft_onnx_session_release(session);
    return 1;
  }
  *result = session;
  return 0;
}

void aloft_onnx_session_release(aloft_onnx_session *session) {
  aloft_onnx_bindings_release(session);
  if (session->session != NULL)
    CALL(session->library, kReleaseSession, void, void *)(session->session);
  for (size_t i = 0; session->inputs != NULL && i < session->input_count; i++)
    free((void *)session->inputs[i].name);
  for (size_t i = 0; session->outputs != NULL && i < session->output_count; i++)
    free((void *)session->outputs[i].name);
  free(session->inputs);
  free(session->outputs);
  free(session);
}

size_t aloft_onnx_input_count(const aloft_onnx_session *session) { return session->input_count; }
size_t aloft_onnx_output_count(const aloft_onnx_session *session) { return session->output_count; }

const aloft_onnx_signature *aloft_onnx_input_at(const aloft_onnx_session *session, size_t index) {
  return &session->inputs[index];
}

const aloft_onnx_signature *aloft_onnx_output_at(const aloft_onnx_session *session, size_t index) {
  return &session->outputs[index];
}

static int make_value(aloft_onnx_library *library, const aloft_onnx_input *input, void **value,
                      aloft_onnx_error error) {
  if (input->type != kStringType)
    return check(library,
                 CALL(library, kCreateTensorWithData, status, const void *, void *, size_t,
                      const int64_t *, size_t, int, void **)(
                     library->memory, (void *)input->data, input->byte_count, input->dimensions,
                     input->rank, input->type, value),
                 error);
  return check(library,
               CALL(library, kCreateTensor, status, void *, const int64_t *, size_t, int, void **)(
                   library->allocator, input->dimensions, input->rank, input->type, value),
               error) ||
         check(library,
               CALL(library, kFillStringTensor, status, void *, const char *const *, size_t)(
                   *value, input->strings, input->string_count),
               error);
}

static int describe(aloft_onnx_library *library, void *value, aloft_onnx_output *output,
                    aloft_onnx_error error) {
  output->value = value;
  output->binding = NULL;
  int is_tensor = 0;
  if (check(library, CALL(library, kIsTensor, status, const void *, int *)(value, &is_tensor),
            error))
    return 1;
  if (!is_tensor) return fail(error, "an output of the model is no tensor");
  void *info = NULL;
  if (check(library, CALL(library, kGetTensorTypeAndShape, status, void *, void **)(value, &info),
            error))
    return 1;
  int failed =
      read_shape(library, info, &output->type, output->dimensions, &output->rank, error) ||
      check(library,
            CALL(library, kGetTensorShapeElementCount, status, const void *, size_t *)(
                info, &output->element_count),
            error);
  CALL(library, kReleaseTensorTypeAndShapeInfo, void, void *)(info);
  if (failed || output->type == kStringType) return failed;
  return check(library,
               CALL(library, kGetTensorMutableData, status, void *, void **)(
                   value, (void **)&output->data),
               error);
}

int aloft_onnx_run(aloft_onnx_session *session, const aloft_onnx_input *inputs, size_t input_count,
                   const int32_t *wanted, aloft_onnx_output *outputs, size_t output_count,
                   aloft_onnx_error error) {
  if (aloft_onnx_run_bound(session, inputs, input_count, wanted, outputs, output_count) == 0)
    return 0;
  aloft_onnx_library *library = session->library;
  // One array for both: values, then names; on the stack for all but the widest models.
  size_t total = input_count + output_count;
  void *small_values[32] = {NULL};
  const char *small_names[32];
  void **values = small_values;
  const char **names = small_names;
  if (total > 32) {
    values = calloc(total, sizeof(void *));
    names = calloc(total, sizeof(char *));
  }
  int failed = 0;
  if (values == NULL || names == NULL) failed = fail(error, "out of memory");
  for (size_t i = 0; i < input_count && !failed; i++) {
    names[i] = session->inputs[inputs[i].index].name;
    failed = make_value(library, &inputs[i], &values[i], error);
  }
  for (size_t i = 0; i < output_count && !failed; i++)
    names[input_count + i] = session->outputs[wanted[i]].name;
  aloft_onnx_enter(session);
  if (!failed)
    failed = check(
        library,
        CALL(library, kRun, status, void *, const void *, const char *const *, const void *const *,
             size_t, const char *const *, size_t, void **)(
            session->session, NULL, names, (const void *const *)values, input_count,
            names + input_count, output_count, values + input_count),
        error);
  aloft_onnx_leave();
  for (size_t i = 0; values != NULL && i < input_count; i++)
    if (values[i] != NULL) CALL(library, kReleaseValue, void, void *)(values[i]);
  for (size_t i = 0; i < output_count && !failed; i++)
    failed = describe(library, values[input_count + i], &outputs[i], error);
  if (failed && values != NULL)
    for (size_t i = input_count; i < total; i++)
      if (values[i] != NULL) CALL(library, kReleaseValue, void, void *)(values[i]);
  if (values != small_values) free(values);
  if (names != small_names) free(names);
  if (!failed)
    aloft_onnx_consider_binding(session, inputs, input_count, wanted, outputs, output_count);
  return failed;
}

void aloft_onnx_output_release(aloft_onnx_session *session, aloft_onnx_output *output) {
  if (output->binding != NULL) return aloft_onnx_return_binding(session, output);
  if (output->value != NULL) CALL(session->library, kReleaseValue, void, void *)(output->value);
  output->value = NULL;
}

int aloft_onnx_string_bytes(aloft_onnx_session *session, const aloft_onnx_output *output,
                            size_t *byte_count, aloft_onnx_error error) {
  return check(session->library,
               CALL(session->library, kGetStringTensorDataLength, status, const void *, size_t *)(
                   output->value, byte_count),
               error);
}

int aloft_onnx_strings(aloft_onnx_session *session, const aloft_onnx_output *output, char *bytes,
                       size_t byte_count, size_t *offsets, aloft_onnx_error error) {
  return check(session->library,
               CALL(session->library, kGetStringTensorContent, status, const void *, void *, size_t,
                    size_t *, size_t)(output->value, bytes, byte_count, offsets,
                                      output->element_count),
               error);
}
