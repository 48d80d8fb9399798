// Calls what Sources/CRuntime/portable_libc.c and scripts/portable_math.c define, by the names that a newer glibc's headers use, and compares with what they stand for.
// Prints what differs, or that nothing does.
#include <dlfcn.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define NAMED(name) __asm__(name)
long new_strtol(const char *, char **, int) NAMED("__isoc23_strtol");
unsigned long long new_strtoull(const char *, char **, int) NAMED("__isoc23_strtoull");
intmax_t new_strtoimax(const char *, char **, int) NAMED("__isoc23_strtoimax");
long new_wcstol(const wchar_t *, wchar_t **, int) NAMED("__isoc23_wcstol");
int new_sscanf(const char *, const char *, ...) NAMED("__isoc23_sscanf");
int new_fscanf(FILE *, const char *, ...) NAMED("__isoc23_fscanf");
int new_vsscanf(const char *, const char *, va_list) NAMED("__isoc23_vsscanf");
uint32_t new_arc4random(void) NAMED("arc4random");
uint32_t new_arc4random_uniform(uint32_t) NAMED("arc4random_uniform");
void new_arc4random_buf(void *, size_t) NAMED("arc4random_buf");
size_t new_strlcpy(char *, const char *, size_t) NAMED("strlcpy");
size_t new_strlcat(char *, const char *, size_t) NAMED("strlcat");

double exp10(double);

static int failed = 0;
#define EXPECT(condition) if (!(condition)) { printf("differs: %s\n", #condition); failed = 1; }

static int scanned(const char *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int count = new_vsscanf(text, format, arguments);
    va_end(arguments);
    return count;
}

static void *library;
static void *function(const char *name) {
    void *found = dlsym(library, name);
    if (found == NULL) printf("not in the library: %s\n", name), failed = 1;
    return found;
}

static const long double values[] = {
    0, -0.0L, 0.5L, -0.5L, 1, -1, 1.5L, 2.5L, -2.5L, 3, 1e-30L, -1e-30L, 0.99999999L, 1e10L, -1e10L, 4503599627370495.5L, -4503599627370495.5L,
    4503599627370496.0L, 9007199254740993.0L, 1e19L, -1e300L, INFINITY, -INFINITY, NAN, 5e-324L,
};
enum { value_count = sizeof values / sizeof *values };

// With their signs; one NaN is as good as another.
#define SAME(found, expected) (((found) != (found) && (expected) != (expected)) || ((found) == (expected) && signbit(found) == signbit(expected)))
#define ONE(type, name)                                                                                          \
    for (int i = 0; i < value_count; i++) {                                                                      \
        volatile type x = (type)values[i];                                                                       \
        type found = name(x), expected = ((type(*)(type))function(#name))(x);                                    \
        if (!SAME(found, expected)) printf("differs: " #name "(%Lg)\n", values[i]), failed = 1;           \
    }
#define TWO(type, name)                                                                                          \
    for (int i = 0; i < value_count; i++) {                                                                      \
        volatile type x = (type)values[i], y = (type)values[(i * 7 + 3) % value_count];                          \
        type found = name(x, y), expected = ((type(*)(type, type))function(#name))(x, y);                        \
        if (!SAME(found, expected)) printf("differs: " #name "(%Lg, …)\n", values[i]), failed = 1;        \
    }
#define ONES(name) ONE(double, name) ONE(float, name##f) ONE(long double, name##l)
#define TWOS(name) TWO(double, name) TWO(float, name##f) TWO(long double, name##l)

static void mathematics(void) {
    library = dlopen("libm.so.6", RTLD_NOW);
    ONES(acos) ONES(acosh) ONES(asin) ONES(asinh) ONES(atan) ONES(atanh) ONES(cbrt) ONES(ceil) ONES(cos) ONES(cosh) ONES(erf) ONES(erfc)
    ONES(exp) ONES(exp2) ONES(expm1) ONES(floor) ONES(j0) ONES(j1) ONES(lgamma) ONES(log) ONES(log10) ONES(log1p) ONES(log2) ONES(logb)
    ONES(nearbyint) ONES(rint) ONES(round) ONES(sin) ONES(sinh) ONES(sqrt) ONES(tan) ONES(tanh) ONES(tgamma) ONES(trunc) ONES(y0) ONES(y1)
    TWOS(atan2) TWOS(fdim) TWOS(fmax) TWOS(fmin) TWOS(fmod) TWOS(hypot) TWOS(nextafter) TWOS(pow) TWOS(remainder)
    // Each argument arrives at the first call too, whatever it lies in; and so does what comes back.
    volatile double x = 7.5, y = 2, z = 0.25;
    volatile long double w = 3;
    volatile int n = 2;
    int sign = 0, quotient = 0, signf = 0;
    EXPECT(fma(x, y, z) == 15.25 && fmaf((float)x, (float)y, (float)z) == 15.25f && fmal(w, 2, 1) == 7);
    EXPECT(remquo(x, y, &quotient) == -0.5 && (quotient & 7) == 4);
    EXPECT(fabs(lgamma_r(-z, &sign) - 1.5895753125511862) < 1e-12 && sign == -1 && fabsf(lgammaf_r((float)z, &signf) - 1.2880225f) < 1e-5f && signf == 1);
    double (*bessel)(int, double) = function("jn"), (*second)(int, double) = function("yn"), (*toward)(double, long double) = function("nexttoward");
    EXPECT(jn(n, x) == bessel(n, x) && yn(n, x) == second(n, x) && nexttoward(y, w) == toward(y, w) && nexttoward(y, w) > 2);
    EXPECT(ilogb(x) == 2 && lrint(x) == 8 && llrint(x) == 8 && lround(x) == 8 && llround(-x) == -8 && lrintf((float)x) == 8 && llroundl(w) == 3);
    EXPECT(isnan(nan("1")) && isnan(nanf("")) && isnan(nanl("")) && fabs(exp10(y) - 100) < 1e-12);
}

int main(void) {
    char *end;
    wchar_t *wide_end;
    EXPECT(new_strtol("-0x1fz", &end, 0) == -31 && *end == 'z');
    EXPECT(new_strtoull("18446744073709551615", NULL, 10) == UINT64_MAX);
    EXPECT(new_strtoimax("-9223372036854775808", NULL, 10) == INT64_MIN);
    EXPECT(new_wcstol(L"077", &wide_end, 8) == 63 && *wide_end == 0);
    int a = 0, b = 0;
    EXPECT(new_sscanf("12 ab", "%d %x", &a, &b) == 2 && a == 12 && b == 0xab);
    EXPECT(scanned("7,8", "%d,%d", &a, &b) == 2 && a == 7 && b == 8);
    FILE *file = fmemopen((char[]){"5 words"}, 7, "r");
    char word[8];
    EXPECT(file && new_fscanf(file, "%d %7s", &a, word) == 2 && a == 5 && strcmp(word, "words") == 0);
    if (file) fclose(file);

    char text[6] = ".....";
    EXPECT(new_strlcpy(text, "longer", 4) == 6 && memcmp(text, "lon\0.", 6) == 0);
    EXPECT(new_strlcat(text, "ger", 6) == 6 && strcmp(text, "longe") == 0);
    EXPECT(new_strlcat(text, "ger", 3) == 6 && strcmp(text, "longe") == 0);
    EXPECT(new_strlcpy(text, "x", 0) == 1 && strcmp(text, "longe") == 0);

    unsigned char drawn[512] = {0};
    int zeros = 0;
    new_arc4random_buf(drawn + 1, sizeof drawn - 2);
    for (size_t i = 1; i < sizeof drawn - 1; i++) zeros += drawn[i] == 0;
    EXPECT(zeros < 40 && drawn[0] == 0 && drawn[sizeof drawn - 1] == 0);
    EXPECT(new_arc4random() != new_arc4random() || new_arc4random() != new_arc4random());
    int seen[5] = {0};
    for (int i = 0; i < 1000; i++) seen[new_arc4random_uniform(5) % 5]++;
    for (int i = 0; i < 5; i++) EXPECT(seen[i] > 100);
    EXPECT(new_arc4random_uniform(0) == 0 && new_arc4random_uniform(1) == 0);

    // volatile: what the compiler would know, it would not call.
    volatile double x = 3, y = 4;
    volatile float u = 0.5f, v = 2;
    EXPECT(hypot(x, y) == 5 && hypot(-INFINITY, NAN) == INFINITY && fmod(y, x) == 1 && fabs(exp10(x) - 1000) < 1e-9 && isnan(fmod(x, 0)) && remainder(y, x) == 1);
    EXPECT(hypotf(u, v) == sqrtf(u * u + v * v) && fmodf(v, u) == 0 && sqrtf(v * v) == 2 && log10f(100 * v / 2) == 2);
    EXPECT(fabsf(acosf(u) - 1.0471976f) < 1e-6f && fabsf(atan2f(u, v) - 0.2449787f) < 1e-6f && fabsf(tgammaf(v + 3) - 24) < 1e-5f);
    mathematics();
    if (!failed) printf("newer: all as glibc's\n");
    return failed;
}
