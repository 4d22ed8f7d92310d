#pragma once

#include <stddef.h>
#include <stdint.h>

// The part of ONNX Runtime's C interface that Aloft uses, reached through a library which is opened
// at run time. The wheel on PyPI ships no header, so the functions are called by their place in the
// table that `OrtGetApiBase` hands out; the table only ever grows (upstream asserts places 101, 118,
// 126 and 149 at compile time), and `aloft_onnx_open` checks it before anything else is called.
//
// Every call that can fail returns 0 for success and else fills `error`, always terminated.

#define ALOFT_ONNX_MAX_RANK 8

typedef struct aloft_onnx_library aloft_onnx_library;
typedef struct aloft_onnx_session aloft_onnx_session;

typedef struct {
  char *buffer;
  size_t capacity;
} aloft_onnx_error;

/// One input of a call. `type` is an element type of ONNX (TensorProto.DataType).
typedef struct {
  const void *data;
  size_t byte_count;
  const int64_t *dimensions;
  size_t rank;
  int32_t type;
  /// The place of this input in the session's list.
  int32_t index;
  /// For strings only: `string_count` terminated strings, and `data` is unused.
  const char *const *strings;
  size_t string_count;
} aloft_onnx_input;

/// One output of a call. The memory belongs to `value` and lives until it is released.
typedef struct {
  void *value;
  const void *data;
  int64_t dimensions[ALOFT_ONNX_MAX_RANK];
  size_t rank;
  size_t element_count;
  int32_t type;
  /// Whose memory it is where no `value` owns it.
  void *binding;
} aloft_onnx_output;

/// The name and type of one input or output. `rank` is -1 where the model leaves it open; a
/// dimension is -1 where it varies. `type` is 0 where it is no tensor at all.
typedef struct {
  const char *name;
  int32_t type;
  int32_t rank;
  int64_t dimensions[ALOFT_ONNX_MAX_RANK];
} aloft_onnx_signature;

/// Opens the shared library at `path`. Fails where it is absent, older than API version 11, or its
/// table does not behave as expected. A library is never closed.
int aloft_onnx_open(const char *path, aloft_onnx_library **library, aloft_onnx_error error);

/// The version of the library, such as "1.32.0".
const char *aloft_onnx_version(const aloft_onnx_library *library);

/// Notes in which model the process crashes: the eight bytes of its session's `key` are appended to
/// the open file before the signal's own end of the process. Called once a process.
void aloft_onnx_watch_crashes(int descriptor);

/// Loads the model in the file `path`, to run with `threads` threads in one operator (1 starts none).
/// `key` names it if it crashes the process; 0 leaves it unnamed.
int aloft_onnx_session_create(aloft_onnx_library *library, const char *path, int threads,
                              uint64_t key, aloft_onnx_session **session, aloft_onnx_error error);
void aloft_onnx_session_release(aloft_onnx_session *session);

size_t aloft_onnx_input_count(const aloft_onnx_session *session);
size_t aloft_onnx_output_count(const aloft_onnx_session *session);
const aloft_onnx_signature *aloft_onnx_input_at(const aloft_onnx_session *session, size_t index);
const aloft_onnx_signature *aloft_onnx_output_at(const aloft_onnx_session *session, size_t index);

/// Runs the model. `wanted` holds the places of the outputs to compute; `outputs` has room for as
/// many, each to be released with `aloft_onnx_output_release`. Any thread may call this, many at once.
int aloft_onnx_run(aloft_onnx_session *session, const aloft_onnx_input *inputs, size_t input_count,
                   const int32_t *wanted, aloft_onnx_output *outputs, size_t output_count,
                   aloft_onnx_error error);
void aloft_onnx_output_release(aloft_onnx_session *session, aloft_onnx_output *output);

/// The number of bytes of all strings of a string output.
int aloft_onnx_string_bytes(aloft_onnx_session *session, const aloft_onnx_output *output,
                            size_t *byte_count, aloft_onnx_error error);
/// Copies the strings one after another; `offsets` gets the start of each.
int aloft_onnx_strings(aloft_onnx_session *session, const aloft_onnx_output *output, char *bytes,
                       size_t byte_count, size_t *offsets, aloft_onnx_error error);
