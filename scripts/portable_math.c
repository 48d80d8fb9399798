// For scripts/package, which puts it in the place of libm: stubs of the mathematical library's functions, which load it when the first of them is
// called. Swift's standard library names a hundred of them, and calls none in most programs: a start that loads the library takes 50 us more.
// And each is asked for by its name alone: linked against a newer glibc, a program would ask for versions that Amazon Linux's 2.34 lacks (hypot
// 2.35, fmod 2.38, sinhf 2.43), and not start.
//
// Hidden: were one exported, since a shared library asks for it too, then the library itself would call it. Weak, and in an archive where libm
// would be searched: a program's own are taken, in an object or an archive (in a shared library, which is rare on Lambda, they are not). What
// nothing asks for is left out of a program.
#if defined(__linux__)
#include <features.h>
#endif

#if defined(__linux__) && defined(__GLIBC__) && (defined(__x86_64__) || defined(__aarch64__))
#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

// Kept for the library's file: a program that has no descriptor left may calculate.
static _Atomic int spare = -1;
__attribute__((constructor)) static void keep_spare(void) { atomic_store(&spare, eventfd(0, EFD_CLOEXEC)); }

static void *load(void) {
    void *library = dlopen("libm.so.6", RTLD_LAZY | RTLD_LOCAL);
    int is_taken = 0;
    // Another thread may take the descriptor that is free now, or have freed it for the same library.
    for (int tries = 0; library == NULL && tries < 100; tries++) {
        int kept = atomic_exchange(&spare, -1);
        if (kept < 0) sched_yield();
        else is_taken = close(kept) == 0;
        library = dlopen("libm.so.6", RTLD_LAZY | RTLD_LOCAL);
    }
    if (is_taken) keep_spare();
    return library;
}

// double, float and long double
#define THREE(call, name) call(name) call(name##f) call(name##l)
#define FUNCTIONS(call)                                                                                                                      \
    THREE(call, acos) THREE(call, acosh) THREE(call, asin) THREE(call, asinh) THREE(call, atan) THREE(call, atan2) THREE(call, atanh)        \
    THREE(call, cbrt) call(ceilf) call(ceill) THREE(call, cos) THREE(call, cosh) THREE(call, erf) THREE(call, erfc) THREE(call, exp)         \
    THREE(call, exp10) THREE(call, exp2) THREE(call, expm1) THREE(call, fdim) THREE(call, floor) THREE(call, fma) THREE(call, fmax)          \
    THREE(call, fmin) THREE(call, fmod) THREE(call, hypot) THREE(call, ilogb) THREE(call, j0) THREE(call, j1) THREE(call, jn)                \
    THREE(call, lgamma) call(lgamma_r) call(lgammaf_r) call(lgammal_r) THREE(call, llrint) THREE(call, llround) THREE(call, log)             \
    THREE(call, log10) THREE(call, log1p) THREE(call, log2) THREE(call, logb) THREE(call, lrint) THREE(call, lround) THREE(call, nan)        \
    THREE(call, nearbyint) THREE(call, nextafter) THREE(call, nexttoward) THREE(call, pow) THREE(call, remainder) THREE(call, remquo)        \
    THREE(call, rint) THREE(call, round) THREE(call, roundeven) THREE(call, sin) THREE(call, sincos) THREE(call, sinh) THREE(call, sqrt)     \
    THREE(call, tan) THREE(call, tanh) THREE(call, tgamma) THREE(call, trunc) THREE(call, y0) THREE(call, y1) THREE(call, yn)

// Where a stub goes: to `sluice_math_load` at first, to the function from then on.
__attribute__((used, visibility("hidden"))) void *sluice_find_math(const char *name) {
    static void *_Atomic loaded;
    int saved = errno;
    void *library = atomic_load(&loaded);
    if (library == NULL) atomic_store(&loaded, library = load());
    void *function = library == NULL ? NULL : dlsym(library, name);
    if (function == NULL) {
        fprintf(stderr, "the mathematical library: %s\n", dlerror());
        abort();
    }
    errno = saved;
    return function;
}

#if defined(__x86_64__)
#define STUB                                              \
    "\\name: jmp *.Lsluice_place_\\name(%rip)\n"          \
    ".Lsluice_load_\\name:\n"                             \
    "    lea .Lsluice_place_\\name(%rip), %r10\n"         \
    "    lea .Lsluice_text_\\name(%rip), %r11\n"          \
    "    jmp sluice_math_load\n"
// All that arguments may lie in is kept.
#define LOAD                                                                          \
    "sluice_math_load:\n"                                                             \
    "    push %rbp\n    mov %rsp, %rbp\n    and $-16, %rsp\n    sub $192, %rsp\n"     \
    "    movaps %xmm0, (%rsp)\n    movaps %xmm1, 16(%rsp)\n"                          \
    "    movaps %xmm2, 32(%rsp)\n    movaps %xmm3, 48(%rsp)\n"                        \
    "    movaps %xmm4, 64(%rsp)\n    movaps %xmm5, 80(%rsp)\n"                        \
    "    movaps %xmm6, 96(%rsp)\n    movaps %xmm7, 112(%rsp)\n"                       \
    "    mov %rdi, 128(%rsp)\n    mov %rsi, 136(%rsp)\n    mov %rdx, 144(%rsp)\n"     \
    "    mov %rcx, 152(%rsp)\n    mov %r8, 160(%rsp)\n    mov %r9, 168(%rsp)\n"       \
    "    mov %r10, 176(%rsp)\n    mov %rax, 184(%rsp)\n"                              \
    "    mov %r11, %rdi\n    call sluice_find_math\n"                                 \
    "    mov 176(%rsp), %r10\n    mov %rax, (%r10)\n    mov %rax, %r11\n"             \
    "    movaps (%rsp), %xmm0\n    movaps 16(%rsp), %xmm1\n"                          \
    "    movaps 32(%rsp), %xmm2\n    movaps 48(%rsp), %xmm3\n"                        \
    "    movaps 64(%rsp), %xmm4\n    movaps 80(%rsp), %xmm5\n"                        \
    "    movaps 96(%rsp), %xmm6\n    movaps 112(%rsp), %xmm7\n"                       \
    "    mov 128(%rsp), %rdi\n    mov 136(%rsp), %rsi\n    mov 144(%rsp), %rdx\n"     \
    "    mov 152(%rsp), %rcx\n    mov 160(%rsp), %r8\n    mov 168(%rsp), %r9\n"       \
    "    mov 184(%rsp), %rax\n    leave\n    jmp *%r11\n"
#else
// Hint 34 is a landing pad, where branches are guarded.
#define STUB                                                                                          \
    "\\name: hint #34\n    adrp x16, .Lsluice_place_\\name\n"                                        \
    "    ldr x16, [x16, :lo12:.Lsluice_place_\\name]\n    br x16\n"                                   \
    ".Lsluice_load_\\name: hint #34\n"                                                                \
    "    adrp x16, .Lsluice_place_\\name\n    add x16, x16, :lo12:.Lsluice_place_\\name\n"            \
    "    adrp x17, .Lsluice_text_\\name\n    add x17, x17, :lo12:.Lsluice_text_\\name\n"              \
    "    b sluice_math_load\n"
#define LOAD                                                                                          \
    "sluice_math_load:\n"                                                                             \
    "    stp x29, x30, [sp, #-224]!\n    mov x29, sp\n"                                               \
    "    stp q0, q1, [sp, #16]\n    stp q2, q3, [sp, #48]\n"                                          \
    "    stp q4, q5, [sp, #80]\n    stp q6, q7, [sp, #112]\n"                                         \
    "    stp x0, x1, [sp, #144]\n    stp x2, x3, [sp, #160]\n    stp x4, x5, [sp, #176]\n"            \
    "    stp x6, x7, [sp, #192]\n    stp x8, x16, [sp, #208]\n"                                       \
    "    mov x0, x17\n    bl sluice_find_math\n"                                                      \
    "    mov x17, x0\n    ldp x8, x16, [sp, #208]\n    str x17, [x16]\n"                              \
    "    ldp q0, q1, [sp, #16]\n    ldp q2, q3, [sp, #48]\n"                                          \
    "    ldp q4, q5, [sp, #80]\n    ldp q6, q7, [sp, #112]\n"                                         \
    "    ldp x0, x1, [sp, #144]\n    ldp x2, x3, [sp, #160]\n    ldp x4, x5, [sp, #176]\n"            \
    "    ldp x6, x7, [sp, #192]\n    ldp x29, x30, [sp], #224\n    br x17\n"
#endif

#define CALL(name) "sluice_math " #name "\n"
// Sections of their own, so that a stub may be left out.
__asm__(".macro sluice_math name\n"
        ".section .rodata.sluice_math.\\name, \"a\", @progbits\n"
        ".Lsluice_text_\\name: .asciz \"\\name\"\n"
        ".section .data.sluice_math.\\name, \"aw\", @progbits\n"
        ".p2align 3\n"
        ".Lsluice_place_\\name: .quad .Lsluice_load_\\name\n"
        ".section .text.sluice_math.\\name, \"ax\", @progbits\n"
        ".p2align 2\n"
        ".weak \\name\n.hidden \\name\n.type \\name, @function\n"
        STUB
        ".size \\name, . - \\name\n"
        ".endm\n"
        FUNCTIONS(CALL)
        ".purgem sluice_math\n"
        ".section .text.sluice_math_load, \"ax\", @progbits\n"
        ".p2align 2\n.hidden sluice_math_load\n.globl sluice_math_load\n.type sluice_math_load, @function\n"
        LOAD
        ".size sluice_math_load, . - sluice_math_load\n"
        ".text\n");

// The one that a usual invocation calls: a dictionary that grows asks for it.
__attribute__((weak, visibility("hidden"), section(".text.sluice_math.ceil"))) double sluice_ceil(double x) __asm__("ceil");
double sluice_ceil(double x) {
    // From 2^52 on there is nothing behind the point, and in no number that is none.
    if (!(x > -0x1p52 && x < 0x1p52)) return x;
    double whole = (double)(long long)x;
    return __builtin_copysign(whole < x ? whole + 1 : whole, x);
}
#endif
