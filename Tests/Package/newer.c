// Calls what Sources/CRuntime/portable_*.c define, by the names that a newer glibc's headers use, and compares with what they stand for.
// Prints what differs.
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
    return failed;
}
