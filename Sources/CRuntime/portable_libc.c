// Functions that came into the C library after Amazon Linux's glibc 2.34, and that headers and libraries of newer machines ask for.
// Defined here, a program has them and starts there. What nothing asks for is left out of it; hidden as in scripts/portable_math.c.
#if defined(__linux__)
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE // dl_iterate_phdr
#endif
#include <features.h>
#endif

#if defined(__linux__) && defined(__GLIBC__)
#include <errno.h>
#include <link.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

// Its C name is our own: a newer header declares the real one, perhaps as an alias of another.
#define AS(name) __asm__(name) __attribute__((visibility("hidden")))
#define APART(name) __attribute__((section(".text.sluice_" name)))

// 2.38: headers turn strtol and its kin into these, which also know 0b101. That is not kept: the program would be another one on
// an older machine.
#define NUMBER(result, function, character)                                                                    \
    extern result sluice_plain_##function(const character *, character **, int) __asm__(#function);            \
    result sluice_##function(const character *, character **, int) AS("__isoc23_" #function);                  \
    APART(#function) result sluice_##function(const character *text, character **end, int base) {              \
        return sluice_plain_##function(text, end, base);                                                       \
    }
#define LOCALE_NUMBER(result, function, character)                                                             \
    extern result sluice_plain_##function(const character *, character **, int, void *) __asm__(#function);    \
    result sluice_##function(const character *, character **, int, void *) AS("__isoc23_" #function);          \
    APART(#function) result sluice_##function(const character *text, character **end, int base, void *locale) { \
        return sluice_plain_##function(text, end, base, locale);                                               \
    }
#define NUMBERS(prefix, character)                       \
    NUMBER(long, prefix##l, character)                   \
    NUMBER(long long, prefix##ll, character)             \
    NUMBER(unsigned long, prefix##ul, character)         \
    NUMBER(unsigned long long, prefix##ull, character)   \
    NUMBER(intmax_t, prefix##imax, character)            \
    NUMBER(uintmax_t, prefix##umax, character)           \
    LOCALE_NUMBER(long, prefix##l_l, character)          \
    LOCALE_NUMBER(long long, prefix##ll_l, character)    \
    LOCALE_NUMBER(unsigned long, prefix##ul_l, character) \
    LOCALE_NUMBER(unsigned long long, prefix##ull_l, character)
NUMBERS(strto, char)
NUMBERS(wcsto, wchar_t)

// From a file or from text, with arguments or a list of them.
#define SCAN(function, list, source, character)                                                                 \
    extern int sluice_plain_##list(source, const character *, va_list) __asm__("__isoc99_" #list);              \
    int sluice_##list(source, const character *, va_list) AS("__isoc23_" #list);                                \
    APART(#list) int sluice_##list(source from, const character *format, va_list arguments) {                   \
        return sluice_plain_##list(from, format, arguments);                                                    \
    }                                                                                                           \
    int sluice_##function(source, const character *, ...) AS("__isoc23_" #function);                            \
    APART(#function) int sluice_##function(source from, const character *format, ...) {                         \
        va_list arguments;                                                                                      \
        va_start(arguments, format);                                                                            \
        int count = sluice_plain_##list(from, format, arguments);                                               \
        va_end(arguments);                                                                                      \
        return count;                                                                                           \
    }
SCAN(sscanf, vsscanf, const char *, char)
SCAN(fscanf, vfscanf, void *, char)
SCAN(swscanf, vswscanf, const wchar_t *, wchar_t)
SCAN(fwscanf, vfwscanf, void *, wchar_t)

// From standard input.
#define SCAN_INPUT(function, list, character)                                                  \
    extern int sluice_plain_##list(const character *, va_list) __asm__("__isoc99_" #list);     \
    int sluice_##list(const character *, va_list) AS("__isoc23_" #list);                       \
    APART(#list) int sluice_##list(const character *format, va_list arguments) {               \
        return sluice_plain_##list(format, arguments);                                         \
    }                                                                                          \
    int sluice_##function(const character *, ...) AS("__isoc23_" #function);                   \
    APART(#function) int sluice_##function(const character *format, ...) {                     \
        va_list arguments;                                                                     \
        va_start(arguments, format);                                                           \
        int count = sluice_plain_##list(format, arguments);                                    \
        va_end(arguments);                                                                     \
        return count;                                                                          \
    }
SCAN_INPUT(scanf, vscanf, char)
SCAN_INPUT(wscanf, vwscanf, wchar_t)

// 2.36: std::random_device of libstdc++, for one. The system's generator; as there, a machine without is the end.
void sluice_arc4random_buf(void *, size_t) AS("arc4random_buf");
APART("arc4random_buf") void sluice_arc4random_buf(void *buffer, size_t count) {
    unsigned char *next = buffer;
    while (count > 0) {
        ssize_t got = getrandom(next, count, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) abort();
        next += got;
        count -= (size_t)got;
    }
}

uint32_t sluice_arc4random(void) AS("arc4random");
APART("arc4random") uint32_t sluice_arc4random(void) {
    uint32_t value;
    sluice_arc4random_buf(&value, sizeof value);
    return value;
}

uint32_t sluice_arc4random_uniform(uint32_t) AS("arc4random_uniform");
APART("arc4random_uniform") uint32_t sluice_arc4random_uniform(uint32_t bound) {
    if (bound < 2) return 0;
    uint32_t surplus = -bound % bound; // of the 2^32 values, so many make the lowest remainders likelier
    uint32_t value;
    do value = sluice_arc4random();
    while (value < surplus);
    return value % bound;
}

// 2.38: copies what fits, always ends it, and says how long it would have been.
size_t sluice_strlcpy(char *, const char *, size_t) AS("strlcpy");
APART("strlcpy") size_t sluice_strlcpy(char *to, const char *from, size_t size) {
    size_t length = __builtin_strlen(from);
    if (size > 0) {
        size_t count = length < size ? length : size - 1;
        __builtin_memcpy(to, from, count);
        to[count] = 0;
    }
    return length;
}

size_t sluice_strlcat(char *, const char *, size_t) AS("strlcat");
APART("strlcat") size_t sluice_strlcat(char *to, const char *from, size_t size) {
    size_t begun = 0;
    while (begun < size && to[begun] != 0) begun++;
    if (begun == size) return size + __builtin_strlen(from);
    return begun + sluice_strlcpy(to + begun, from, size - begun);
}

// 2.35: libgcc's unwinder asks which object an address lies in, and where that one's table of unwind information is.
struct sluice_object {
    unsigned long long flags;
    void *start, *end;
    struct link_map *map;
    void *table;
};
struct sluice_object_search {
    uintptr_t address;
    struct sluice_object found;
};

APART("_dl_find_object") static int sluice_look_into(struct dl_phdr_info *info, size_t size, void *context) {
    struct sluice_object_search *search = context;
    uintptr_t start = UINTPTR_MAX, end = 0, table = 0;
    int is_inside = 0;
    (void)size;
    for (int index = 0; index < info->dlpi_phnum; index++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[index];
        uintptr_t from = info->dlpi_addr + part->p_vaddr, to = from + part->p_memsz;
        if (part->p_type == PT_GNU_EH_FRAME) table = from;
        if (part->p_type != PT_LOAD) continue;
        if (from < start) start = from;
        if (to > end) end = to;
        if (search->address >= from && search->address < to) is_inside = 1;
    }
    if (!is_inside) return 0;
    search->found.start = (void *)start;
    search->found.end = (void *)end;
    search->found.table = (void *)table;
    return 1;
}

int sluice_find_object(void *, struct sluice_object *) AS("_dl_find_object");
APART("_dl_find_object") int sluice_find_object(void *address, struct sluice_object *result) {
    struct sluice_object_search search = {.address = (uintptr_t)address};
    if (!dl_iterate_phdr(sluice_look_into, &search) || search.found.table == NULL) return -1;
    *result = search.found;
    return 0;
}
#endif
