#ifndef ALOFT_ALLOCATIONS_H
#define ALOFT_ALLOCATIONS_H

#include <stdbool.h>

/// Whether this build counts what a thread allocates: on glibc, and without a sanitizer, which brings its own
/// malloc.
bool aloft_allocations_counted(void);

/// Begins to count what this thread allocates and frees.
void aloft_allocations_begin(void);

/// Ends that, and returns the most bytes that the thread held at one time of those it allocated since.
long aloft_allocations_end(void);

#endif
