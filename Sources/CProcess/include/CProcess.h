// The few things about processes that Swift cannot do: fork (with what happens between it and exec),
// prctl, namespaces, Landlock, and signal handlers that write to a pipe.
#ifndef ALOFT_CPROCESS_H
#define ALOFT_CPROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// What holds a program back; see docs/adr/0014-isolation-of-what-users-run.md.
enum aloft_isolation_kind {
    ALOFT_ISOLATION_NONE = 0,
    /// User, mount, pid and ipc namespaces of its own.
    ALOFT_ISOLATION_NAMESPACES,
    /// Landlock's rules on files; its own signals and abstract sockets from ABI 6 on.
    ALOFT_ISOLATION_LANDLOCK,
};

enum aloft_layer_kind {
    /// An empty folder lies over it.
    ALOFT_LAYER_HIDE = 1,
    /// Itself, for reading.
    ALOFT_LAYER_READ,
    /// Itself, for reading and writing.
    ALOFT_LAYER_WRITE,
    /// A new `/dev` with nothing but what the layers below it show.
    ALOFT_LAYER_DEVICES,
    /// A device.
    ALOFT_LAYER_DEVICE,
};

/// What a path of the machine is for the program. With namespaces each lies over those before it;
/// with Landlock each is a rule, and what no rule names is forbidden. Those that are not there are
/// left out.
struct aloft_layer {
    /// Absolute, without links.
    const char *path;
    int kind;
};

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
    /// Standard output and error, in place of `output`; negative: none.
    int output_descriptor;
    /// `cgroup.procs` files to join, ended by NULL; NULL: none.
    const char *const *cgroups;
    /// RLIMIT_AS; 0: none.
    uint64_t address_space_bytes;
    /// RLIMIT_FSIZE; 0: none.
    uint64_t file_bytes;
    /// Sent to the child when the thread that called this ends; 0: none.
    int parent_death_signal;
    int isolation;
    const struct aloft_layer *layers;
    size_t layer_count;
};

/// What the child was about to do when it failed.
enum aloft_spawn_step {
    ALOFT_SPAWN_FORK = 1,
    ALOFT_SPAWN_FOLDER,
    ALOFT_SPAWN_OUTPUT,
    ALOFT_SPAWN_CGROUP,
    ALOFT_SPAWN_LIMIT,
    ALOFT_SPAWN_EXEC,
    ALOFT_SPAWN_UNSHARE,
    ALOFT_SPAWN_MOUNT,
    ALOFT_SPAWN_PROC,
    ALOFT_SPAWN_LANDLOCK,
};

/// Starts a process in a session of its own, with no descriptor but the standard three, input from
/// /dev/null, and default signals. Returns 0 and sets `process`, or returns errno and sets `step`.
/// Returns when the program runs: by then it is in its cgroups and isolated.
///
/// With namespaces `process` is a guard outside of them: it ends as the program ends, and all that
/// the program started ends with either. It and the first process inside run none of the caller's
/// code and hold none of its memory.
int aloft_spawn(const struct aloft_spawn *how, pid_t *process, int *step);

/// The version of Landlock here; 0 where there is none.
int aloft_landlock_version(void);

/// From now on no process of the same user can read this one's memory and variables, but for root's
/// with CAP_SYS_PTRACE. Returns 0 or errno.
int aloft_forbid_inspection(void);

/// Orphans among this process's descendants become its children. Returns 0 or errno.
int aloft_become_subreaper(void);

/// From now on SIGCHLD, SIGTERM, SIGINT and SIGHUP write their number, a byte, to a pipe whose
/// reading end is returned, or -1. Call it once.
int aloft_watch_signals(void);

/// A descriptor that can be read as soon as the process has ended, whoever's child it is; closed at exec. -1
/// where there is no such process or the kernel knows no such descriptors (Linux before 5.3).
int aloft_watch_process(pid_t process);

/// A pipe whose ends are closed at exec; the reading end does not block. Returns 0 or errno.
int aloft_pipe(int ends[2]);

/// Writes a whole file system's pending data, given any open descriptor on it. Returns 0 or errno.
int aloft_sync_file_system(int descriptor);

/// Takes `bytes` of the disk for the file. Returns 0 or errno.
int aloft_allocate(int descriptor, uint64_t bytes);

/// What the blocks of the files below `folder` take on disk; a little more than `limit` where it is
/// more. Follows no links.
uint64_t aloft_folder_bytes(const char *folder, uint64_t limit);

#endif
