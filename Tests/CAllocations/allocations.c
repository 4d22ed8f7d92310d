#include "allocations.h"

#include <errno.h>
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define ALOFT_SANITIZED 1
#endif
#endif

#if defined(__linux__) && !defined(ALOFT_SANITIZED)
#include <features.h>
#endif

#if defined(__GLIBC__) && !defined(ALOFT_SANITIZED)

#include <malloc.h>

// The program's own malloc stands before the library's, for the libraries it loads too. Each thread counts for
// itself, so tests that run beside do not disturb.

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

static __thread bool is_counting;
static __thread long held;
static __thread long most;

static void took(void *memory) {
    if (!is_counting || memory == NULL) return;
    held += (long)malloc_usable_size(memory);
    if (held > most) most = held;
}

static void gave(void *memory) {
    if (is_counting && memory != NULL) held -= (long)malloc_usable_size(memory);
}

void *malloc(size_t size) {
    void *memory = __libc_malloc(size);
    took(memory);
    return memory;
}

void *calloc(size_t count, size_t size) {
    void *memory = __libc_calloc(count, size);
    took(memory);
    return memory;
}

void *realloc(void *memory, size_t size) {
    gave(memory);
    void *moved = __libc_realloc(memory, size);
    took(moved != NULL ? moved : (size > 0 ? memory : NULL));
    return moved;
}

void *memalign(size_t alignment, size_t size) {
    void *memory = __libc_memalign(alignment, size);
    took(memory);
    return memory;
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size) {
    void *memory = memalign(alignment, size);
    if (memory == NULL) return ENOMEM;
    *result = memory;
    return 0;
}

void free(void *memory) {
    gave(memory);
    __libc_free(memory);
}

bool aloft_allocations_counted(void) { return true; }

void aloft_allocations_begin(void) {
    held = 0;
    most = 0;
    is_counting = true;
}

long aloft_allocations_end(void) {
    is_counting = false;
    return most;
}

#else

bool aloft_allocations_counted(void) { return false; }

void aloft_allocations_begin(void) {}

long aloft_allocations_end(void) { return 0; }

#endif
