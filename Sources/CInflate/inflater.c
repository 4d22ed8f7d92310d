#include "CInflate.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/// The largest window, and nothing but gzip.
#define GZIP_BITS (15 + 16)
/// The same, gzip or zlib by what the stream begins with.
#define ANY_BITS (15 + 32)

struct aloft_inflater {
    z_stream stream;
};

static struct aloft_inflater *open_with(int window_bits) {
    struct aloft_inflater *inflater = calloc(1, sizeof *inflater);
    if (inflater == NULL) return NULL;
    if (inflateInit2(&inflater->stream, window_bits) == Z_OK) return inflater;
    free(inflater);
    return NULL;
}

struct aloft_inflater *aloft_inflater_open(void) { return open_with(GZIP_BITS); }

struct aloft_inflater *aloft_inflater_open_any(void) { return open_with(ANY_BITS); }

int aloft_inflater_step(struct aloft_inflater *inflater, const uint8_t *input, size_t length,
                        size_t *taken, uint8_t *output, size_t room, size_t *given) {
    z_stream *stream = &inflater->stream;
    uInt before = (uInt)(length > UINT_MAX ? UINT_MAX : length);
    uInt free_before = (uInt)(room > UINT_MAX ? UINT_MAX : room);
    stream->next_in = (uint8_t *)input;
    stream->avail_in = before;
    stream->next_out = output;
    stream->avail_out = free_before;
    int status = inflate(stream, Z_NO_FLUSH);
    *taken = before - stream->avail_in;
    *given = free_before - stream->avail_out;
    if (status == Z_STREAM_END) return inflateReset(stream) == Z_OK ? 0 : -1;
    return status == Z_OK || status == Z_BUF_ERROR ? 1 : -1;
}

void aloft_inflater_close(struct aloft_inflater *inflater) {
    if (inflater == NULL) return;
    inflateEnd(&inflater->stream);
    free(inflater);
}
