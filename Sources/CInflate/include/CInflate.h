// Messages that come compressed.
#ifndef ALOFT_CINFLATE_H
#define ALOFT_CINFLATE_H

#include <stddef.h>
#include <stdint.h>

enum aloft_inflate_result {
    ALOFT_INFLATE_WHOLE = 0,
    /// The data are damaged, cut off, or more follows.
    ALOFT_INFLATE_DAMAGED,
    /// More than `limit` bytes come out.
    ALOFT_INFLATE_TOO_LARGE,
    ALOFT_INFLATE_NO_MEMORY,
};

/// Inflates one whole stream, gzip or zlib as its first bytes say. `*output` is to be freed with `free`
/// and NULL unless the result is ALOFT_INFLATE_WHOLE; no more memory is taken than twice what comes out.
enum aloft_inflate_result aloft_inflate(const uint8_t *input, size_t length, size_t limit,
                                        uint8_t **output, size_t *size);

/// A gzip stream that is inflated piece by piece; several in a row are one.
struct aloft_inflater;

/// NULL where there is no memory.
struct aloft_inflater *aloft_inflater_open(void);

/// The same for a stream that is gzip or zlib, as its first bytes say.
struct aloft_inflater *aloft_inflater_open_any(void);

/// Takes from `input` and puts into `output` what there is room for. Returns 1 while more may come, 0 at
/// the end of a stream (go on with what is left of the input), -1 where the data are damaged.
int aloft_inflater_step(struct aloft_inflater *inflater, const uint8_t *input, size_t length,
                        size_t *taken, uint8_t *output, size_t room, size_t *given);

void aloft_inflater_close(struct aloft_inflater *inflater);

#endif
