// Proves Sources/CRuntime/start.c: the addresses in this program are right, and those that do not change are read-only again.
//   clang -fPIE -pie moved.c start.c -fuse-ld=lld -Wl,--pack-dyn-relocs=relr,--use-android-relr-tags,-e,sluice_start
#include <stdint.h>
#include <stdio.h>

#define TEN(m, n) m(n##0) m(n##1) m(n##2) m(n##3) m(n##4) m(n##5) m(n##6) m(n##7) m(n##8) m(n##9)
#define HUNDRED(m) TEN(m, 10) TEN(m, 11) TEN(m, 12) TEN(m, 13) TEN(m, 14) TEN(m, 15) TEN(m, 16) TEN(m, 17) TEN(m, 18) TEN(m, 19)
#define FUNCTION(n) __attribute__((noinline)) static int number##n(void) { return n; }
#define ADDRESS(n) number##n,
#define SPARSE(n) {n, 0, number##n, {0}},
HUNDRED(FUNCTION)

static int (*const constant[])(void) = {HUNDRED(ADDRESS)};
static int (*changing[])(void) = {HUNDRED(ADDRESS)};
// Far apart, so that the bitmap has gaps.
static const struct { int number, unused; int (*function)(void); uint64_t gap[40]; } sparse[] = {HUNDRED(SPARSE)};
static int constructed = 0;

__attribute__((constructor)) static void construct(void) { constructed = constant[0]() == 100; }

static int is_read_only(const void *address) {
    FILE *maps = fopen("/proc/self/maps", "r");
    unsigned long start, end;
    char access[5] = "";
    while (maps && fscanf(maps, "%lx-%lx %4s%*[^\n]", &start, &end, access) == 3) {
        if ((uintptr_t)address >= start && (uintptr_t)address < end) break;
    }
    if (maps) fclose(maps);
    return access[0] == 'r' && access[1] == '-';
}

int main(int count, char **arguments) {
    int right = 0;
    for (int index = 0; index < 100; index++) {
        int (*volatile function)(void) = constant[index];
        right += function() == 100 + index;
        function = changing[index];
        right += function() == 100 + index;
        function = sparse[index].function;
        right += function() == 100 + index && sparse[index].number == 100 + index;
    }
    printf("moved: %d of 300 addresses are right, constructors %s, constants are %s, arguments %s\n", right, constructed ? "too" : "not",
           is_read_only(constant) ? "read-only" : "writable", count == 1 && arguments[1] == NULL ? "too" : "not");
    return right == 300 && constructed ? 0 : 1;
}
