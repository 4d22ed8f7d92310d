#include "CInflate.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/// The largest window, and gzip or zlib by what the stream begins with.
#define WINDOW_BITS (15 + 32)

/// Twice as much room, or a byte more than the limit: enough to see that it is passed.
static int grow(uint8_t **memory, size_t *room, size_t limit) {
    size_t wanted = *room > limit / 2 ? limit + 1 : *room * 2;
    uint8_t *larger = realloc(*memory, wanted);
    if (larger == NULL) return 0;
    *memory = larger;
    *room = wanted;
    return 1;
}

enum aloft_inflate_result aloft_inflate(const uint8_t *input, size_t length, size_t limit,
                                        uint8_t **output, size_t *size) {
    *output = NULL;
    *size = 0;
    if (length > UINT_MAX || limit >= UINT_MAX) return ALOFT_INFLATE_TOO_LARGE;
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (inflateInit2(&stream, WINDOW_BITS) != Z_OK) return ALOFT_INFLATE_NO_MEMORY;
    size_t room = length < limit ? length + 64 : limit + 1;
    uint8_t *memory = malloc(room);
    enum aloft_inflate_result result = ALOFT_INFLATE_NO_MEMORY;
    stream.next_in = (uint8_t *)input;
    stream.avail_in = (uInt)length;
    while (memory != NULL) {
        stream.next_out = memory + stream.total_out;
        stream.avail_out = (uInt)(room - stream.total_out);
        int status = inflate(&stream, Z_NO_FLUSH);
        if (stream.total_out > limit) {
            result = ALOFT_INFLATE_TOO_LARGE;
            break;
        }
        if (status == Z_STREAM_END) {
            result = stream.avail_in == 0 ? ALOFT_INFLATE_WHOLE : ALOFT_INFLATE_DAMAGED;
            break;
        }
        if (status == Z_MEM_ERROR) break;
        if ((status != Z_OK && status != Z_BUF_ERROR) || stream.avail_out > 0) {
            result = ALOFT_INFLATE_DAMAGED;
            break;
        }
        if (!grow(&memory, &room, limit)) break;
    }
    if (result == ALOFT_INFLATE_WHOLE) {
        *output = memory;
        *size = stream.total_out;
    } else {
        free(memory);
    }
    inflateEnd(&stream);
    return result;
}
