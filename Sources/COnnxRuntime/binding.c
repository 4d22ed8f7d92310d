#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

// A call of a small model costs the library more than the model: a third of it goes into making and
// releasing the values of inputs and outputs. So after some calls of one shape those values are
// kept, over memory that stays where it is, and calls of that shape only copy their numbers.
//
// That outputs may be written where we say is checked by running each binding once beside a plain call:
// it must give the same bits. Where it does not, or fails, as for outputs whose shape depends on the
// numbers, plain calls do all.
//
// Bindings wait in places that any thread takes them from, so each is one thread's at a time.

enum { kPlaces = 8, kMostTensors = 8, kMostBytes = 16 << 10, kPlainRuns = 512, kMostFailures = 3 };
enum { kAlignment = 64 };

typedef struct {
  void *value;
  char *data;
  size_t byte_count, element_count, rank;
  int64_t dimensions[ALOFT_ONNX_MAX_RANK];
  int32_t type, index;
} tensor;

typedef struct {
  void *binding;
  char *memory;
  size_t input_count, output_count;
  // Outputs that the caller still reads.
  size_t unreleased;
  tensor inputs[kMostTensors], outputs[kMostTensors];
} binding;

struct aloft_onnx_bindings {
  _Atomic(binding *) places[kPlaces];
  atomic_uint plain_runs, failures;
};

static const size_t element_bytes[17] = {[1] = 4, [2] = 1, [3] = 1,  [4] = 2,  [5] = 2,
                                         [6] = 4, [7] = 8, [9] = 1,  [10] = 2, [11] = 8,
                                         [12] = 4, [13] = 8, [16] = 2};

static size_t size_of(int32_t type) { return type > 0 && type < 17 ? element_bytes[type] : 0; }

aloft_onnx_bindings *aloft_onnx_bindings_create(void) {
  // Without them calls only take longer.
  return calloc(1, sizeof(aloft_onnx_bindings));
}

static void release(aloft_onnx_session *session, binding *it) {
  aloft_onnx_library *library = session->library;
  if (it->binding != NULL) CALL(library, kReleaseIoBinding, void, void *)(it->binding);
  for (size_t i = 0; i < it->input_count; i++)
    if (it->inputs[i].value != NULL)
      CALL(library, kReleaseValue, void, void *)(it->inputs[i].value);
  for (size_t i = 0; i < it->output_count; i++)
    if (it->outputs[i].value != NULL)
      CALL(library, kReleaseValue, void, void *)(it->outputs[i].value);
  free(it->memory);
  free(it);
}

void aloft_onnx_bindings_release(aloft_onnx_session *session) {
  if (session->bindings == NULL) return;
  for (int i = 0; i < kPlaces; i++) {
    binding *it = atomic_exchange(&session->bindings->places[i], NULL);
    if (it != NULL) release(session, it);
  }
  free(session->bindings);
  session->bindings = NULL;
}

static void park(aloft_onnx_session *session, binding *it) {
  for (int i = 0; i < kPlaces; i++) {
    binding *none = NULL;
    if (atomic_compare_exchange_strong(&session->bindings->places[i], &none, it)) return;
  }
  release(session, it);
}

static bool matches(const binding *it, const aloft_onnx_input *inputs, size_t input_count,
                    const int32_t *wanted, size_t output_count) {
  if (it->input_count != input_count || it->output_count != output_count) return false;
  for (size_t i = 0; i < input_count; i++) {
    const tensor *mine = &it->inputs[i];
    if (mine->index != inputs[i].index || mine->type != inputs[i].type ||
        mine->rank != inputs[i].rank || mine->byte_count != inputs[i].byte_count ||
        memcmp(mine->dimensions, inputs[i].dimensions, mine->rank * sizeof(int64_t)) != 0)
      return false;
  }
  for (size_t i = 0; i < output_count; i++)
    if (it->outputs[i].index != wanted[i]) return false;
  return true;
}

static int run(aloft_onnx_session *session, binding *it, const aloft_onnx_input *inputs,
               aloft_onnx_error error) {
  for (size_t i = 0; i < it->input_count; i++)
    memcpy(it->inputs[i].data, inputs[i].data, it->inputs[i].byte_count);
  aloft_onnx_enter(session);
  int failed = check(
      session->library,
      CALL(session->library, kRunWithBinding, status, void *, const void *, const void *)(
          session->session, NULL, it->binding),
      error);
  aloft_onnx_leave();
  return failed;
}

static void note_failure(aloft_onnx_bindings *all) {
  atomic_fetch_add_explicit(&all->failures, 1, memory_order_relaxed);
}

int aloft_onnx_run_bound(aloft_onnx_session *session, const aloft_onnx_input *inputs,
                         size_t input_count, const int32_t *wanted, aloft_onnx_output *outputs,
                         size_t output_count) {
  aloft_onnx_bindings *all = session->bindings;
  if (all == NULL) return 1;
  for (int place = 0; place < kPlaces; place++) {
    // Taking one costs more than looking whether there is one.
    if (atomic_load_explicit(&all->places[place], memory_order_relaxed) == NULL) continue;
    binding *it = atomic_exchange(&all->places[place], NULL);
    if (it == NULL) continue;
    if (!matches(it, inputs, input_count, wanted, output_count)) {
      park(session, it);
      continue;
    }
    aloft_onnx_error unheard = {.buffer = NULL, .capacity = 0};
    if (run(session, it, inputs, unheard)) {
      // The plain call that follows says what is wrong, if it is the model.
      note_failure(all);
      release(session, it);
      return 1;
    }
    for (size_t i = 0; i < output_count; i++) {
      const tensor *mine = &it->outputs[i];
      outputs[i].value = NULL;
      outputs[i].binding = it;
      outputs[i].data = mine->data;
      outputs[i].rank = mine->rank;
      outputs[i].element_count = mine->element_count;
      outputs[i].type = mine->type;
      memcpy(outputs[i].dimensions, mine->dimensions, mine->rank * sizeof(int64_t));
    }
    it->unreleased = output_count;
    return 0;
  }
  return 1;
}

void aloft_onnx_return_binding(aloft_onnx_session *session, aloft_onnx_output *output) {
  binding *it = output->binding;
  output->binding = NULL;
  if (--it->unreleased == 0) park(session, it);
}

// Describes the tensors of a plain call; false where they are no case for a binding.
static bool describe(binding *it, const aloft_onnx_input *inputs, const int32_t *wanted,
                     const aloft_onnx_output *outputs) {
  for (size_t i = 0; i < it->input_count; i++) {
    tensor *mine = &it->inputs[i];
    mine->byte_count = inputs[i].byte_count;
    mine->rank = inputs[i].rank;
    mine->type = inputs[i].type;
    mine->index = inputs[i].index;
    if (size_of(mine->type) == 0 || mine->rank > ALOFT_ONNX_MAX_RANK) return false;
    memcpy(mine->dimensions, inputs[i].dimensions, mine->rank * sizeof(int64_t));
  }
  for (size_t i = 0; i < it->output_count; i++) {
    tensor *mine = &it->outputs[i];
    mine->element_count = outputs[i].element_count;
    mine->byte_count = outputs[i].element_count * size_of(outputs[i].type);
    mine->rank = outputs[i].rank;
    mine->type = outputs[i].type;
    mine->index = wanted[i];
    if (size_of(mine->type) == 0) return false;
    memcpy(mine->dimensions, outputs[i].dimensions, mine->rank * sizeof(int64_t));
  }
  return true;
}

static bool place_memory(binding *it) {
  size_t total = 0;
  for (int pass = 0; pass < 2; pass++) {
    total = 0;
    for (size_t i = 0; i < it->input_count + it->output_count; i++) {
      tensor *mine =
          i < it->input_count ? &it->inputs[i] : &it->outputs[i - it->input_count];
      if (pass == 1) mine->data = it->memory + total;
      if (mine->byte_count > kMostBytes) return false;
      total += (mine->byte_count + kAlignment) & ~(size_t)(kAlignment - 1);
    }
    if (pass == 0) it->memory = aligned_alloc(kAlignment, total);
    if (it->memory == NULL) return false;
  }
  return true;
}

static bool bind(aloft_onnx_session *session, binding *it) {
  aloft_onnx_library *library = session->library;
  aloft_onnx_error unheard = {.buffer = NULL, .capacity = 0};
  if (check(library,
            CALL(library, kCreateIoBinding, status, void *, void **)(session->session,
                                                                     &it->binding),
            unheard))
    return false;
  for (size_t i = 0; i < it->input_count + it->output_count; i++) {
    bool is_input = i < it->input_count;
    tensor *mine = is_input ? &it->inputs[i] : &it->outputs[i - it->input_count];
    const char *name = (is_input ? session->inputs : session->outputs)[mine->index].name;
    if (check(library,
              CALL(library, kCreateTensorWithData, status, const void *, void *, size_t,
                   const int64_t *, size_t, int, void **)(library->memory, mine->data,
                                                          mine->byte_count, mine->dimensions,
                                                          mine->rank, mine->type, &mine->value),
              unheard) ||
        check(library,
              CALL(library, is_input ? kBindInput : kBindOutput, status, void *, const char *,
                   const void *)(it->binding, name, mine->value),
              unheard))
      return false;
  }
  return true;
}

// Whether the binding gives what the plain call gave.
static bool agrees(aloft_onnx_session *session, binding *it, const aloft_onnx_input *inputs,
                   const aloft_onnx_output *outputs) {
  aloft_onnx_error unheard = {.buffer = NULL, .capacity = 0};
  if (run(session, it, inputs, unheard)) return false;
  for (size_t i = 0; i < it->output_count; i++)
    if (memcmp(it->outputs[i].data, outputs[i].data, it->outputs[i].byte_count) != 0) return false;
  return true;
}

void aloft_onnx_consider_binding(aloft_onnx_session *session, const aloft_onnx_input *inputs,
                                 size_t input_count, const int32_t *wanted,
                                 const aloft_onnx_output *outputs, size_t output_count) {
  aloft_onnx_bindings *all = session->bindings;
  if (all == NULL || input_count > kMostTensors || output_count > kMostTensors ||
      output_count == 0 ||
      atomic_load_explicit(&all->failures, memory_order_relaxed) >= kMostFailures ||
      atomic_fetch_add_explicit(&all->plain_runs, 1, memory_order_relaxed) < kPlainRuns)
    return;
  atomic_store_explicit(&all->plain_runs, 0, memory_order_relaxed);
  binding *it = calloc(1, sizeof(*it));
  if (it == NULL) return;
  it->input_count = input_count;
  it->output_count = output_count;
  if (describe(it, inputs, wanted, outputs) && place_memory(it) && bind(session, it) &&
      agrees(session, it, inputs, outputs)) {
    // Where no place is free, one goes to the shape that is asked now.
    binding *other = atomic_exchange(&all->places[kPlaces - 1], NULL);
    park(session, it);
    if (other != NULL) park(session, other);
    return;
  }
  note_failure(all);
  release(session, it);
}
