#pragma once

#include <stdbool.h>

#include "COnnxRuntime.h"

// What the files of this target share: the table's places and the objects that callers see no inside of.

// Places in the table (OrtApi of onnxruntime_c_api.h).
enum {
  kCreateStatus = 0,
  kGetErrorCode = 1,
  kGetErrorMessage = 2,
  kCreateEnv = 3,
  kCreateSession = 7,
  kRun = 9,
  kCreateSessionOptions = 10,
  kDisableMemPattern = 17,
  kDisableCpuMemArena = 19,
  kSetSessionGraphOptimizationLevel = 23,
  kSetIntraOpNumThreads = 24,
  kSetInterOpNumThreads = 25,
  kSessionGetInputCount = 30,
  kSessionGetOutputCount = 31,
  kSessionGetInputTypeInfo = 33,
  kSessionGetOutputTypeInfo = 34,
  kSessionGetInputName = 36,
  kSessionGetOutputName = 37,
  kCreateTensor = 48,
  kCreateTensorWithData = 49,
  kIsTensor = 50,
  kGetTensorMutableData = 51,
  kFillStringTensor = 52,
  kGetStringTensorDataLength = 53,
  kGetStringTensorContent = 54,
  kCastTypeInfoToTensorInfo = 55,
  kGetTensorElementType = 60,
  kGetDimensionsCount = 61,
  kGetDimensions = 62,
  kGetTensorShapeElementCount = 64,
  kGetTensorTypeAndShape = 65,
  kCreateCpuMemoryInfo = 69,
  kAllocatorFree = 76,
  kGetAllocatorWithDefaultOptions = 78,
  kReleaseStatus = 93,
  kReleaseSession = 95,
  kReleaseValue = 96,
  kReleaseTypeInfo = 98,
  kReleaseTensorTypeAndShapeInfo = 99,
  kReleaseSessionOptions = 100,
  kRunWithBinding = 133,
  kCreateIoBinding = 134,
  kReleaseIoBinding = 135,
  kBindInput = 136,
  kBindOutput = 137,
};

enum { kApiVersion = 11, kInvalidArgument = 2, kLogError = 3, kAllOptimisations = 99 };
enum { kStringType = 8 };

typedef struct aloft_onnx_bindings aloft_onnx_bindings;

struct aloft_onnx_library {
  const void *const *api;
  const char *version;
  void *environment;
  void *memory;
  void *allocator;
};

struct aloft_onnx_session {
  aloft_onnx_library *library;
  uint64_t key;
  void *session;
  size_t input_count, output_count;
  aloft_onnx_signature *inputs, *outputs;
  // Null for a model that is too large to gain by them.
  aloft_onnx_bindings *bindings;
};

// A function of the table with this signature. Most return a status, null for success.
#define CALL(library, place, result, ...) ((result(*)(__VA_ARGS__))(library)->api[place])
typedef void *status;

// Says what is wrong, and returns 1.
int aloft_onnx_fail(aloft_onnx_error error, const char *message);
// 0 for success, else as `aloft_onnx_fail` with what the library says; releases the status.
int aloft_onnx_check(const aloft_onnx_library *library, status failure, aloft_onnx_error error);
#define fail aloft_onnx_fail
#define check aloft_onnx_check

// Stand round each call that runs a model's code, so that a crash there is put down to it.
void aloft_onnx_enter(const aloft_onnx_session *session);
void aloft_onnx_leave(void);

// Runs the model by a binding that was made for inputs of these shapes. 0 where it did.
int aloft_onnx_run_bound(aloft_onnx_session *session, const aloft_onnx_input *inputs,
                         size_t input_count, const int32_t *wanted, aloft_onnx_output *outputs,
                         size_t output_count);
// Takes note of a run without binding, and makes one for its shapes when there were many.
void aloft_onnx_consider_binding(aloft_onnx_session *session, const aloft_onnx_input *inputs,
                                 size_t input_count, const int32_t *wanted,
                                 const aloft_onnx_output *outputs, size_t output_count);
void aloft_onnx_return_binding(aloft_onnx_session *session, aloft_onnx_output *output);
aloft_onnx_bindings *aloft_onnx_bindings_create(void);
void aloft_onnx_bindings_release(aloft_onnx_session *session);
