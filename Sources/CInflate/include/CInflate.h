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

#endif
