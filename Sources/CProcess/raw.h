// System calls without the C library: usable where its variables and tables are gone.
#ifndef ALOFT_CPROCESS_RAW_H
#define ALOFT_CPROCESS_RAW_H

#include <sys/syscall.h>

#if defined(__x86_64__)
static inline long aloft_raw(long number, long a, long b, long c, long d, long e) {
    long result;
    register long fourth __asm__("r10") = d;
    register long fifth __asm__("r8") = e;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
static inline long aloft_raw(long number, long a, long b, long c, long d, long e) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
                     : "memory");
    return x0;
}
#else
#error "starting programs is written for x86_64 and aarch64"
#endif

/// Neither checks of the stack nor of memory work without those tables.
#define ALOFT_RAW __attribute__((no_stack_protector, no_sanitize("thread", "address", "undefined")))

#endif
