#define _GNU_SOURCE
#include "internal.h"
#include "raw.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int aloft_forbid_inspection(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : errno; }

int aloft_drop_capabilities(void) {
    // SECBIT_NOROOT, SECBIT_NO_SETUID_FIXUP and SECBIT_NO_CAP_AMBIENT_RAISE, and their locks: user 0
    // is a user like others. Only who has capabilities may, and has to.
    prctl(PR_SET_SECUREBITS, 0x3 | 0xC | 0xC0, 0, 0, 0);
    for (int number = 0; number < 64; number++) prctl(PR_CAPBSET_DROP, number, 0, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct nothing[2] = {{0, 0, 0}, {0, 0, 0}};
    if (syscall(SYS_capset, &header, nothing) != 0) return -1;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/// One hexadecimal number of a line; `*at` is left behind it.
ALOFT_RAW static uintptr_t number(const char **at) {
    uintptr_t value = 0;
    for (;; (*at)++) {
        char digit = **at;
        if (digit >= '0' && digit <= '9') value = value * 16 + (uintptr_t)(digit - '0');
        else if (digit >= 'a' && digit <= 'f') value = value * 16 + (uintptr_t)(digit - 'a' + 10);
        else return value;
    }
}

/// `begin-end rwxp offset device inode path`: gives back what is private, writable and of no file.
ALOFT_RAW static void forget_line(const char *line, uintptr_t stack, uintptr_t thread) {
    const char *at = line;
    uintptr_t begin = number(&at);
    if (*at++ != '-') return;
    uintptr_t end = number(&at);
    if (*at++ != ' ' || at[0] != 'r' || at[1] != 'w' || at[3] != 'p') return;
    if ((stack >= begin && stack < end) || (thread >= begin && thread < end)) return;
    // The inode is the fifth word.
    for (int words = 0; words < 3 && *at; at++)
        if (*at == ' ') words++;
    if (at[0] != '0' || (at[1] != ' ' && at[1] != 0)) return;
    aloft_raw(SYS_madvise, (long)begin, (long)(end - begin), MADV_DONTNEED, 0, 0);
}

ALOFT_RAW void aloft_forget_memory(int maps) {
    if (maps < 0) return;
    // The path at a line's end does not matter.
    char buffer[4096], line[96];
    size_t length = 0;
    uintptr_t stack = (uintptr_t)__builtin_frame_address(0);
    uintptr_t thread = (uintptr_t)__builtin_thread_pointer();
    long count;
    while ((count = aloft_raw(SYS_read, maps, (long)buffer, sizeof buffer, 0, 0)) > 0) {
        for (long index = 0; index < count; index++) {
            if (buffer[index] != '\n') {
                if (length < sizeof line - 1) line[length++] = buffer[index];
                continue;
            }
            line[length] = 0;
            forget_line(line, stack, thread);
            length = 0;
        }
    }
    aloft_raw(SYS_close, maps, 0, 0, 0, 0);
}
