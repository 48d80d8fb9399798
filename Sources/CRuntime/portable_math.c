// Functions of the mathematical library to which a glibc newer than Amazon Linux's 2.34 gave a new version: a program linked against
// that glibc asks for the new one, and does not start there. Each is defined here once more, and calls the one that every glibc has.
// The new versions differ in speed and in `errno`, which Swift does not look at. What nothing asks for is left out of a program.
//
// Hidden: were one exported, since a shared library asks for it too, then the loader would take it for the old version as well,
// and it would call itself for ever.
#if defined(__linux__)
#include <features.h>
#endif

#if defined(__linux__) && defined(__GLIBC__)

#if defined(__x86_64__)
#define OLDEST "GLIBC_2.2.5"
#elif defined(__aarch64__)
#define OLDEST "GLIBC_2.17"
#endif

#ifdef OLDEST
#define AT(version, result, name, parameters, ...)                                       \
    extern result sluice_old_##name parameters;                                          \
    __asm__(".symver sluice_old_" #name ", " #name "@" version);                         \
    __attribute__((visibility("hidden"), section(".text.sluice_" #name))) result         \
    sluice_##name parameters __asm__(#name);                                             \
    result sluice_##name parameters { return sluice_old_##name(__VA_ARGS__); }
#define OF_ONE(name) AT(OLDEST, float, name, (float x), x)
#define OF_TWO(type, name) AT(OLDEST, type, name, (type x, type y), x, y)

// 2.35
OF_TWO(double, hypot)
OF_TWO(float, hypotf)
// 2.38
OF_TWO(double, fmod)
OF_TWO(float, fmodf)
// 2.39
AT(OLDEST, double, exp10, (double x), x)
// 2.43
OF_ONE(acosf)
OF_ONE(acoshf)
OF_ONE(asinf)
OF_ONE(atanhf)
OF_ONE(coshf)
OF_ONE(j0f)
OF_ONE(j1f)
OF_ONE(log10f)
OF_ONE(sinhf)
OF_ONE(sqrtf)
OF_ONE(tgammaf)
OF_ONE(y0f)
OF_ONE(y1f)
OF_TWO(float, atan2f)
OF_TWO(double, remainder)
OF_TWO(float, remainderf)
AT(OLDEST, float, jnf, (int n, float x), n, x)
AT(OLDEST, float, ynf, (int n, float x), n, x)
AT("GLIBC_2.23", float, lgammaf, (float x), x)
AT(OLDEST, float, lgammaf_r, (float x, int *sign), x, sign)
#endif

#endif
