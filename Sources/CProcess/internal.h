// Between fork and exec: nothing here allocates or locks.
#ifndef ALOFT_CPROCESS_INTERNAL_H
#define ALOFT_CPROCESS_INTERNAL_H

#include "CProcess.h"

#define ALOFT_HIDDEN __attribute__((visibility("hidden")))

/// Tells the caller of `aloft_spawn` through `pipe`, and ends.
ALOFT_HIDDEN _Noreturn void aloft_give_up(int pipe, int step);

/// Closes on exec, or at once, every descriptor from `first` on.
ALOFT_HIDDEN void aloft_close_on_exec_from(int first);
ALOFT_HIDDEN void aloft_close_from(int first);

/// Goes into new namespaces with the layers and returns in the process that is to become the program;
/// the guard and the first process inside never return.
ALOFT_HIDDEN void aloft_enter_namespaces(const struct aloft_spawn *how, int pipe);

/// Puts Landlock's rules on this process: those of the layers, or, with `scopes_only`, only that it
/// reaches no abstract socket outside. Returns 0 or -1 and errno.
ALOFT_HIDDEN int aloft_landlock(const struct aloft_spawn *how, int scopes_only);

/// Gives up every capability for good, in this and in later programs.
ALOFT_HIDDEN int aloft_drop_capabilities(void);

/// Gives back the memory that fork copied from the caller, but for this stack: what runs afterwards
/// may use neither the heap nor variables. `maps` is this process's own, open; it is closed.
ALOFT_HIDDEN void aloft_forget_memory(int maps);

#endif
