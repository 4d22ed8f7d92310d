// The few things about processes that Swift cannot do: fork (with what happens between it and exec),
// prctl, and signal handlers that write to a pipe.
#ifndef ALOFT_CPROCESS_H
#define ALOFT_CPROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct aloft_spawn {
    /// Absolute path.
    const char *executable;
    /// Ended by NULL, both.
    char *const *arguments;
    char *const *environment;
    /// NULL: the caller's.
    const char *folder;
    /// Standard output and error are appended to this file; NULL: they stay the caller's.
    const char *output;
    /// `cgroup.procs` files to join, ended by NULL; NULL: none.
    const char *const *cgroups;
    /// RLIMIT_AS; 0: none.
    uint64_t address_space_bytes;
    /// Sent to the child when the thread that called this ends; 0: none.
    int parent_death_signal;
};

/// What the child was about to do when it failed.
enum aloft_spawn_step {
    ALOFT_SPAWN_FORK = 1,
    ALOFT_SPAWN_FOLDER,
    ALOFT_SPAWN_OUTPUT,
    ALOFT_SPAWN_CGROUP,
    ALOFT_SPAWN_LIMIT,
    ALOFT_SPAWN_EXEC,
};

/// Starts a process in a session of its own, with no descriptor but the standard three, input from
/// /dev/null, and default signals. Returns 0 and sets `process`, or returns errno and sets `step`.
/// Returns when the program runs: by then it is in its cgroups.
int aloft_spawn(const struct aloft_spawn *how, pid_t *process, int *step);

/// Orphans among this process's descendants become its children. Returns 0 or errno.
int aloft_become_subreaper(void);

/// From now on SIGCHLD, SIGTERM, SIGINT and SIGHUP write their number, a byte, to a pipe whose
/// reading end is returned, or -1. Call it once.
int aloft_watch_signals(void);

/// Writes a whole file system's pending data, given any open descriptor on it. Returns 0 or errno.
int aloft_sync_file_system(int descriptor);

#endif
