#define _GNU_SOURCE
#include "internal.h"
#include "raw.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// The calls of Linux 5.2 and 5.12 that older C libraries do not name; the same on every machine type.
#define OPEN_TREE 428
#define MOVE_MOUNT 429
#define PIDFD_OPEN 434
#define MOUNT_SETATTR 442
#define CLONE_TREE 1U
#define FROM_DESCRIPTOR 4U
#define RECURSIVE 0x8000
#define EMPTY_PATH 0x1000

struct attributes {
    uint64_t set;
    uint64_t clear;
    uint64_t propagation;
    uint64_t user_namespace;
};
enum { READ_ONLY = 1, NO_SETUID = 2, NO_DEVICES = 4 };

enum { MOST_LAYERS = 512 };

static int set_attributes(int place, const char *path, unsigned flags, uint64_t attributes) {
    struct attributes wanted = {attributes, 0, 0, 0};
    return (int)syscall(MOUNT_SETATTR, place, path, flags, &wanted, sizeof wanted);
}

static int copy_of(const char *path) {
    return (int)syscall(OPEN_TREE, AT_FDCWD, path, CLONE_TREE | O_CLOEXEC | RECURSIVE);
}

static void put(const char *file, const char *text, size_t length, int pipe) {
    int descriptor = open(file, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0 || write(descriptor, text, length) != (ssize_t)length)
        aloft_give_up(pipe, ALOFT_SPAWN_UNSHARE);
    close(descriptor);
}

/// "ID ID 1" in `text`; returns its length.
static size_t single_map(char *text, unsigned id) {
    char digits[12];
    size_t count = 0, length = 0;
    do digits[count++] = (char)('0' + id % 10);
    while (id /= 10);
    for (int twice = 0; twice < 2; twice++) {
        for (size_t index = count; index > 0; index--) text[length++] = digits[index - 1];
        text[length++] = ' ';
    }
    text[length++] = '1';
    return length;
}

/// Returns whether there is a user namespace too: root can do without, where none is to be had.
static int unshare_all(int pipe) {
    unsigned user = geteuid(), group = getegid();
    int others = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC;
    if (unshare(CLONE_NEWUSER | others) != 0) {
        int error = errno;
        if (user != 0 || unshare(others) != 0) {
            errno = error;
            aloft_give_up(pipe, ALOFT_SPAWN_UNSHARE);
        }
        return 0;
    }
    // The files below belong to root while this process may not be inspected.
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    char map[32];
    put("/proc/self/setgroups", "deny", 4, pipe);
    put("/proc/self/uid_map", map, single_map(map, user), pipe);
    put("/proc/self/gid_map", map, single_map(map, group), pipe);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return 1;
}

/// Makes a folder, or a file, and the folders above it.
static int make_place(const char *path, int is_folder) {
    struct stat facts;
    if (stat(path, &facts) == 0) return 0;
    char part[4096];
    size_t length = strlen(path);
    if (length >= sizeof part) {
        errno = ENAMETOOLONG;
        return -1;
    }
    for (size_t index = 1; index < length; index++) {
        if (path[index] != '/') continue;
        memcpy(part, path, index);
        part[index] = 0;
        if (mkdir(part, 0755) != 0 && errno != EEXIST && errno != EROFS) return -1;
    }
    if (is_folder) return mkdir(path, 0755) == 0 || errno == EEXIST ? 0 : -1;
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return -1;
    close(file);
    return 0;
}

static int attach(int copy, const char *path) {
    struct stat facts;
    if (fstat(copy, &facts) != 0) return -1;
    if (make_place(path, S_ISDIR(facts.st_mode)) != 0) return -1;
    long result = syscall(MOVE_MOUNT, copy, "", AT_FDCWD, path, FROM_DESCRIPTOR);
    close(copy);
    return (int)result;
}

static int make_devices(void) {
    if (mount("aloft", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=1m") != 0) return -1;
    mkdir("/dev/shm", 01777);
    mkdir("/dev/pts", 0755);
    if (mount("aloft", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") != 0) return -1;
    // Some systems give none; then there are no terminals.
    mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666");
    const char *const links[][2] = {{"/proc/self/fd", "/dev/fd"},
                                    {"/proc/self/fd/0", "/dev/stdin"},
                                    {"/proc/self/fd/1", "/dev/stdout"},
                                    {"/proc/self/fd/2", "/dev/stderr"},
                                    {"pts/ptmx", "/dev/ptmx"}};
    for (size_t index = 0; index < sizeof links / sizeof *links; index++)
        if (symlink(links[index][0], links[index][1]) != 0) return -1;
    return 0;
}

static int lay(const struct aloft_layer *layer, int copy) {
    struct stat facts;
    switch (layer->kind) {
        case ALOFT_LAYER_HIDE:
            if (stat(layer->path, &facts) != 0 || !S_ISDIR(facts.st_mode)) return 0;
            return mount("aloft", layer->path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m");
        case ALOFT_LAYER_DEVICES: return make_devices();
        default: return copy < 0 ? 0 : attach(copy, layer->path);
    }
}

/// Whether `path` is `folder` or below it.
static int is_within(const char *path, const char *folder) {
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == 0);
}

static int is_hidden(const struct aloft_spawn *how, const char *path) {
    for (size_t index = 0; index < how->layer_count; index++)
        if (how->layers[index].kind == ALOFT_LAYER_HIDE && is_within(path, how->layers[index].path)
            && strcmp(path, how->layers[index].path) != 0)
            return 1;
    return 0;
}

/// A folder on which something is mounted cannot be renamed or removed, but the folders above it can, and
/// take it along: what is hidden or fixed would then stand under its old name for others to make anew. So
/// each folder above becomes a mount of itself.
static void pin_folders_above(const struct aloft_spawn *how, int pipe) {
    char folder[4096];
    for (size_t index = 0; index < how->layer_count; index++) {
        const struct aloft_layer *layer = &how->layers[index];
        if (layer->kind != ALOFT_LAYER_HIDE && layer->kind != ALOFT_LAYER_READ) continue;
        size_t length = strlen(layer->path);
        if (length >= sizeof folder || is_hidden(how, layer->path)) continue;
        for (size_t end = 1; end < length; end++) {
            if (layer->path[end] != '/') continue;
            memcpy(folder, layer->path, end);
            folder[end] = 0;
            int is_pinned = 0;
            for (size_t earlier = 0; earlier < index && !is_pinned; earlier++) {
                const struct aloft_layer *other = &how->layers[earlier];
                is_pinned = (other->kind == ALOFT_LAYER_HIDE || other->kind == ALOFT_LAYER_READ)
                    && !is_hidden(how, other->path) && is_within(other->path, folder)
                    && strcmp(other->path, folder) != 0;
            }
            if (is_pinned) continue;
            if (mount(folder, folder, NULL, MS_BIND | MS_REC, NULL) != 0 && errno != ENOENT)
                aloft_give_up(pipe, ALOFT_SPAWN_MOUNT);
        }
    }
}

static void lay_all(const struct aloft_spawn *how, int pipe) {
    int copies[MOST_LAYERS];
    size_t count = how->layer_count;
    errno = E2BIG;
    if (count > MOST_LAYERS) aloft_give_up(pipe, ALOFT_SPAWN_MOUNT);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        aloft_give_up(pipe, ALOFT_SPAWN_MOUNT);
    // Copied before the machine's mounts lose their devices, and those before anything is covered.
    for (size_t index = 0; index < count; index++)
        copies[index] = how->layers[index].kind == ALOFT_LAYER_DEVICE
            ? copy_of(how->layers[index].path) : -1;
    if (set_attributes(AT_FDCWD, "/", RECURSIVE, NO_DEVICES | NO_SETUID) != 0)
        aloft_give_up(pipe, ALOFT_SPAWN_MOUNT);
    for (size_t index = 0; index < count; index++) {
        int kind = how->layers[index].kind;
        if (kind != ALOFT_LAYER_READ && kind != ALOFT_LAYER_WRITE) continue;
        copies[index] = copy_of(how->layers[index].path);
        if (copies[index] < 0 || kind == ALOFT_LAYER_WRITE) continue;
        if (set_attributes(copies[index], "", EMPTY_PATH | RECURSIVE, READ_ONLY) != 0)
            aloft_give_up(pipe, ALOFT_SPAWN_MOUNT);
    }
    pin_folders_above(how, pipe);
    for (size_t index = 0; index < count; index++)
        if (lay(&how->layers[index], copies[index]) != 0) aloft_give_up(pipe, ALOFT_SPAWN_MOUNT);
    for (size_t index = 0; index < count; index++) {
        int kind = how->layers[index].kind;
        if (kind != ALOFT_LAYER_HIDE && kind != ALOFT_LAYER_DEVICES) continue;
        set_attributes(AT_FDCWD, how->layers[index].path, 0, READ_ONLY);
    }
}

/// A /proc that shows what is inside only, and in which nothing of the machine can be set.
static void mount_proc(int has_user_namespace, int pipe) {
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
        aloft_give_up(pipe, ALOFT_SPAWN_PROC);
    if (has_user_namespace) {
        // A user namespace inside would give back every capability, if only over itself.
        int file = open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC);
        if (file < 0 || write(file, "0", 1) != 1) aloft_give_up(pipe, ALOFT_SPAWN_PROC);
        close(file);
    }
    const char *const fixed[] = {"/proc/sys", "/proc/bus", "/proc/fs", "/proc/irq",
                                 "/proc/sysrq-trigger", "/proc/acpi", "/proc/scsi"};
    for (size_t index = 0; index < sizeof fixed / sizeof *fixed; index++) {
        int copy = copy_of(fixed[index]);
        if (copy < 0) continue;
        if (set_attributes(copy, "", EMPTY_PATH | RECURSIVE, READ_ONLY) != 0
            || attach(copy, fixed[index]) != 0)
            aloft_give_up(pipe, ALOFT_SPAWN_PROC);
    }
}

/// Keeps `first` and `second` as descriptors 3 and 4, and no other but the standard three, which
/// lead nowhere.
static void keep_only(int *first, int *second) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int standard = 0; standard < 3; standard++) dup2(null, standard);
    int high[2] = {fcntl(*first, F_DUPFD_CLOEXEC, 16), fcntl(*second, F_DUPFD_CLOEXEC, 16)};
    dup3(high[0], 3, O_CLOEXEC);
    dup3(high[1], 4, O_CLOEXEC);
    *first = 3;
    *second = 4;
    aloft_close_from(5);
}

static void drop_everything(int pipe) {
    if (aloft_drop_capabilities() != 0) aloft_give_up(pipe, ALOFT_SPAWN_UNSHARE);
}

ALOFT_RAW static long wait_for(pid_t process, int *status, int options) {
    return aloft_raw(SYS_wait4, process, (long)status, options, 0, 0);
}

/// Outside: waits for the first process inside and ends as the program ended. Ends what is inside when
/// the caller ends.
ALOFT_RAW static _Noreturn void guard(pid_t first, int news, int caller, int maps) {
    struct pollfd ends[2];
    ends[0].fd = news;
    ends[1].fd = caller;
    ends[0].events = ends[1].events = POLLIN;
    ends[0].revents = ends[1].revents = 0;
    aloft_forget_memory(maps);
    while (aloft_raw(SYS_ppoll, (long)ends, caller < 0 ? 1 : 2, 0, 0, 0) == -EINTR) {
    }
    int status = 0, end = 0;
    long told = 0;
    if (ends[0].revents == 0) aloft_raw(SYS_kill, first, SIGKILL, 0, 0, 0);
    else told = aloft_raw(SYS_read, news, (long)&end, sizeof end, 0, 0);
    while (wait_for(first, &status, 0) == -EINTR) {
    }
    if (told == sizeof end) status = end;
    int number = status & 0x7F;
    if (number != 0) {
        unsigned long none = 0;
        aloft_raw(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, sizeof none, 0);
        aloft_raw(SYS_kill, aloft_raw(SYS_getpid, 0, 0, 0, 0, 0), number, 0, 0, 0);
    }
    for (;;) aloft_raw(SYS_exit_group, number ? 128 + number : status >> 8 & 0xFF, 0, 0, 0, 0);
}

/// Inside, process 1: reaps orphans and tells how the program ended. What it left behind ends with it,
/// unless it was told to end: then the rest may take its time, as the caller decides.
ALOFT_RAW static _Noreturn void reap(pid_t program, int news, int maps) {
    aloft_forget_memory(maps);
    // All signals are blocked: they are taken here.
    unsigned long all = ~0UL;
    int is_told_to_end = 0, has_ended = 0, end = 0, status = 0;
    for (;;) {
        long child;
        while ((child = wait_for(-1, &status, WNOHANG)) > 0) {
            if (child != program) continue;
            end = status;
            has_ended = 1;
        }
        if (has_ended && (!is_told_to_end || child < 0)) break;
        siginfo_t from;
        long number = aloft_raw(SYS_rt_sigtimedwait, (long)&all, (long)&from, 0, sizeof all, 0);
        // Nobody inside can say that this is the end: who says it has no number here.
        if (number == SIGTERM && from.si_pid == 0) is_told_to_end = 1;
    }
    aloft_raw(SYS_kill, -1, SIGKILL, 0, 0, 0);
    while (wait_for(-1, &status, 0) != -ECHILD) {
    }
    aloft_raw(SYS_write, news, (long)&end, sizeof end, 0, 0);
    for (;;) aloft_raw(SYS_exit_group, 0, 0, 0, 0, 0);
}

static void enter_as_first(int has_user_namespace, int news[2], int pipe) {
    // 0 in either case: a caller outside has no number here.
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    close(news[0]);
    mount_proc(has_user_namespace, pipe);
    drop_everything(pipe);
    int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    // Held back until this process listens.
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &all, NULL);
    pid_t program = fork();
    if (program < 0) aloft_give_up(pipe, ALOFT_SPAWN_FORK);
    if (program == 0) {
        sigprocmask(SIG_SETMASK, &none, NULL);
        setsid();
        return;
    }
    keep_only(&news[1], &maps);
    reap(program, news[1], maps);
}

void aloft_enter_namespaces(const struct aloft_spawn *how, int pipe) {
    int caller = (int)syscall(PIDFD_OPEN, getppid(), 0);
    int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    int has_user_namespace = unshare_all(pipe);
    lay_all(how, pipe);
    int news[2];
    if (pipe2(news, O_CLOEXEC) != 0) aloft_give_up(pipe, ALOFT_SPAWN_FORK);
    // The whole tree is told to end, and this process must not before the rest.
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    pid_t first = fork();
    if (first < 0) aloft_give_up(pipe, ALOFT_SPAWN_FORK);
    if (first == 0) {
        enter_as_first(has_user_namespace, news, pipe);
        return;
    }
    drop_everything(pipe);
    close(news[1]);
    int kept[3] = {fcntl(news[0], F_DUPFD_CLOEXEC, 32), fcntl(maps, F_DUPFD_CLOEXEC, 32),
                   caller < 0 ? -1 : fcntl(caller, F_DUPFD_CLOEXEC, 32)};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int standard = 0; standard < 3; standard++) dup2(null, standard);
    for (int index = 0; index < 3; index++) dup3(kept[index], 3 + index, O_CLOEXEC);
    aloft_close_from(caller < 0 ? 5 : 6);
    guard(first, 3, caller < 0 ? -1 : 5, 4);
}
