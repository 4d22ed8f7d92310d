#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct failure {
    int step;
    int error;
};

_Noreturn void aloft_give_up(int pipe, int step) {
    struct failure failure = {step, errno};
    ssize_t ignored = write(pipe, &failure, sizeof failure);
    (void)ignored;
    _exit(127);
}

void aloft_close_from(int first) {
#ifdef SYS_close_range
    if (syscall(SYS_close_range, first, ~0U, 0U) == 0) return;
#endif
    long last = sysconf(_SC_OPEN_MAX);
    for (int descriptor = first; descriptor < last && descriptor < 65536; descriptor++)
        close(descriptor);
}

void aloft_close_on_exec_from(int first) {
#ifdef SYS_close_range
    // CLOSE_RANGE_CLOEXEC, Linux 5.11.
    if (syscall(SYS_close_range, first, ~0U, 4U) == 0) return;
#endif
    long last = sysconf(_SC_OPEN_MAX);
    for (int descriptor = first; descriptor < last && descriptor < 65536; descriptor++)
        fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

enum { MOST_CGROUPS = 16 };

/// Opened where their paths are those of the caller; joined by the program alone.
static size_t open_cgroups(const char *const *cgroups, int *files, int pipe) {
    size_t count = 0;
    for (; cgroups && *cgroups; cgroups++) {
        int file = count < MOST_CGROUPS ? open(*cgroups, O_WRONLY | O_CLOEXEC) : -1;
        if (file < 0) aloft_give_up(pipe, ALOFT_SPAWN_CGROUP);
        files[count++] = file;
    }
    return count;
}

static void set_output(const struct aloft_spawn *how, int pipe) {
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0) aloft_give_up(pipe, ALOFT_SPAWN_OUTPUT);
    int output = how->output_descriptor;
    if (output < 0 && how->output) {
        output = open(how->output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (output < 0) aloft_give_up(pipe, ALOFT_SPAWN_OUTPUT);
    }
    if (output >= 0 && (dup2(output, 1) < 0 || dup2(output, 2) < 0))
        aloft_give_up(pipe, ALOFT_SPAWN_OUTPUT);
}

static void isolate(const struct aloft_spawn *how, int pipe) {
    switch (how->isolation) {
        case ALOFT_ISOLATION_NAMESPACES:
            aloft_enter_namespaces(how, pipe);
            // Sockets without a path belong to the network, which is shared.
            if (aloft_landlock_version() >= 6 && aloft_landlock(how, 1) != 0)
                aloft_give_up(pipe, ALOFT_SPAWN_LANDLOCK);
            return;
        case ALOFT_ISOLATION_LANDLOCK:
            if (aloft_drop_capabilities() != 0 || aloft_landlock(how, 0) != 0)
                aloft_give_up(pipe, ALOFT_SPAWN_LANDLOCK);
            return;
        default: return;
    }
}

static void set_limit(int what, uint64_t value, int pipe) {
    struct rlimit limit = {value, value};
    if (value && setrlimit(what, &limit) != 0) aloft_give_up(pipe, ALOFT_SPAWN_LIMIT);
}

// Between fork and exec: nothing that allocates or locks.
static void become(const struct aloft_spawn *how, int pipe) {
    setsid();
    for (int number = 1; number < 65; number++) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    if (how->parent_death_signal) prctl(PR_SET_PDEATHSIG, how->parent_death_signal);
    set_output(how, pipe);
    int groups[MOST_CGROUPS];
    size_t count = open_cgroups(how->cgroups, groups, pipe);
    isolate(how, pipe);
    // "0" names the writer itself.
    for (size_t index = 0; index < count; index++)
        if (write(groups[index], "0", 1) != 1) aloft_give_up(pipe, ALOFT_SPAWN_CGROUP);
    // The caller's folder may be one that is hidden from the program.
    const char *folder = how->folder ? how->folder : how->isolation ? "/" : NULL;
    if (folder && chdir(folder) != 0) aloft_give_up(pipe, ALOFT_SPAWN_FOLDER);
    set_limit(RLIMIT_AS, how->address_space_bytes, pipe);
    set_limit(RLIMIT_FSIZE, how->file_bytes, pipe);
    aloft_close_on_exec_from(3);
    execve(how->executable, how->arguments, how->environment);
    aloft_give_up(pipe, ALOFT_SPAWN_EXEC);
}

int aloft_spawn(const struct aloft_spawn *how, pid_t *process, int *step) {
    int ends[2];
    *step = ALOFT_SPAWN_FORK;
    if (pipe2(ends, O_CLOEXEC) != 0) return errno;

    // No handler of ours may run in the child before it has set them back.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = fork();
    if (child == 0) become(how, ends[1]);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return error;
    }

    // The pipe closes with a successful exec.
    struct failure failure;
    ssize_t count;
    do count = read(ends[0], &failure, sizeof failure);
    while (count < 0 && errno == EINTR);
    close(ends[0]);
    if (count == sizeof failure) {
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
        }
        *step = failure.step;
        return failure.error;
    }
    *process = child;
    return 0;
}

int aloft_become_subreaper(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 ? 0 : errno;
}

static int signal_pipe = -1;

static void tell(int number) {
    int error = errno;
    unsigned char byte = (unsigned char)number;
    ssize_t ignored = write(signal_pipe, &byte, 1);
    (void)ignored;
    errno = error;
}

int aloft_watch_signals(void) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
    signal_pipe = ends[1];
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = tell;
    action.sa_flags = SA_RESTART | SA_NOCLDSTOP;
    const int numbers[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP};
    for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++)
        if (sigaction(numbers[index], &action, NULL) != 0) return -1;
    return ends[0];
}

int aloft_watch_process(pid_t process) {
    // pidfd_open, which older headers do not name; the number is the same on every machine.
    return (int)syscall(434, process, 0U);
}

int aloft_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC) != 0) return errno;
    return fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 ? 0 : errno;
}

int aloft_allocate(int descriptor, uint64_t bytes) {
    return posix_fallocate(descriptor, 0, (off_t)bytes);
}

int aloft_sync_file_system(int descriptor) { return syncfs(descriptor) == 0 ? 0 : errno; }
