#define _GNU_SOURCE
#include "CProcess.h"

#include <fts.h>
#include <stddef.h>
#include <sys/stat.h>

uint64_t aloft_folder_bytes(const char *folder, uint64_t limit) {
    char *const paths[] = {(char *)folder, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (!walk) return 0;
    uint64_t bytes = 0;
    FTSENT *entry;
    while (bytes <= limit && (entry = fts_read(walk))) {
        // A folder comes twice: before and after what is in it.
        if (entry->fts_info == FTS_DP || entry->fts_info == FTS_NS || !entry->fts_statp) continue;
        bytes += (uint64_t)entry->fts_statp->st_blocks * 512;
    }
    fts_close(walk);
    return bytes;
}
