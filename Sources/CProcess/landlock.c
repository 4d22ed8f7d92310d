#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// From linux/landlock.h, which older systems lack; see landlock(7).
#define LANDLOCK_CREATE 444
#define LANDLOCK_ADD_RULE 445
#define LANDLOCK_RESTRICT_SELF 446
#define VERSION_FLAG 1U
#define RULE_PATH_BENEATH 1

struct ruleset {
    uint64_t files;
    uint64_t network;
    uint64_t scoped;
};

struct __attribute__((packed)) path_rule {
    uint64_t allowed;
    int32_t parent;
};

enum {
    EXECUTE = 1 << 0,
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_FOLDER = 1 << 3,
    REFER = 1 << 13,
    TRUNCATE = 1 << 14,
    IOCTL_DEVICE = 1 << 15,
    // Of version 1 all but those of making block and character devices.
    MAKE_CHARACTER_DEVICE = 1 << 6,
    MAKE_BLOCK_DEVICE = 1 << 11,
    VERSION_1 = (1 << 13) - 1,
};
#define SCOPE_ABSTRACT_SOCKETS 1U
#define SCOPE_SIGNALS 2U

int aloft_landlock_version(void) {
    long version = syscall(LANDLOCK_CREATE, NULL, 0, VERSION_FLAG);
    return version > 0 ? (int)version : 0;
}

static int add(int rules, const struct aloft_layer *layer, uint64_t handled) {
    int place = open(layer->path, O_PATH | O_CLOEXEC);
    // What is gone, or what this user cannot reach anyway, needs no rule.
    if (place < 0) return 0;
    struct stat facts;
    if (fstat(place, &facts) != 0) {
        close(place);
        return 0;
    }
    uint64_t allowed = EXECUTE | READ_FILE | READ_FOLDER;
    if (layer->kind == ALOFT_LAYER_WRITE)
        allowed = handled & ~(uint64_t)(MAKE_CHARACTER_DEVICE | MAKE_BLOCK_DEVICE | IOCTL_DEVICE);
    if (layer->kind == ALOFT_LAYER_DEVICE)
        allowed = READ_FILE | READ_FOLDER | WRITE_FILE | TRUNCATE | IOCTL_DEVICE;
    if (!S_ISDIR(facts.st_mode))
        allowed &= EXECUTE | READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEVICE;
    struct path_rule rule = {allowed & handled, place};
    long result = syscall(LANDLOCK_ADD_RULE, rules, RULE_PATH_BENEATH, &rule, 0);
    close(place);
    return (int)result;
}

int aloft_landlock(const struct aloft_spawn *how, int scopes_only) {
    int version = aloft_landlock_version();
    if (version == 0) {
        errno = ENOSYS;
        return -1;
    }
    struct ruleset set = {0, 0, 0};
    if (!scopes_only) {
        set.files = VERSION_1;
        if (version >= 2) set.files |= REFER;
        if (version >= 3) set.files |= TRUNCATE;
        if (version >= 5) set.files |= IOCTL_DEVICE;
    }
    if (version >= 6)
        set.scoped = scopes_only ? SCOPE_ABSTRACT_SOCKETS : SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS;
    if (set.files == 0 && set.scoped == 0) return 0;
    size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
    int rules = (int)syscall(LANDLOCK_CREATE, &set, size, 0);
    if (rules < 0) return -1;
    for (size_t index = 0; !scopes_only && index < how->layer_count; index++)
        if (add(rules, &how->layers[index], set.files) != 0) return -1;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    if (syscall(LANDLOCK_RESTRICT_SELF, rules, 0) != 0) return -1;
    close(rules);
    return 0;
}
