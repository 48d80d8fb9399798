#define _GNU_SOURCE
#include "CSluiceRuntime.h"

#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#if __has_include(<sys/platform/x86.h>)
// What the loader knows already: asking the processor takes microseconds in a virtual machine, at every start.
#include <sys/platform/x86.h>
#define HAS_AVX2 CPU_FEATURE_ACTIVE(AVX2)
#else
#define HAS_AVX2 __builtin_cpu_supports("avx2")
#endif
#endif

// Loops over large bodies. C, as Swift has no way to compile one function for several kinds of the processor.

// MARK: JSON strings

#define BLOCK 32
#define EACH(byte) (0x0101010101010101u * (byte))

// A bit in each of eight bytes that is below 0x20, a quote, a backslash or DEL; the lowest one is exact.
static inline uint64_t specials(uint64_t eight) {
    uint64_t quote = eight ^ EACH(0x22), backslash = eight ^ EACH(0x5C), del = eight ^ EACH(0x7F);
    return (((eight - EACH(0x20)) & ~eight) | ((quote - EACH(1)) & ~quote) | ((backslash - EACH(1)) & ~backslash)
               | ((del - EACH(1)) & ~del))
        & EACH(0x80);
}

// From `at` on, some bytes at a time up to `end`: keys and header values are short.
static inline int find_special(const uint8_t *text, size_t *at, size_t end, uint64_t *high) {
#if defined(__SSE2__)
    for (; end - *at >= 16; *at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(text + *at));
        __m128i below = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
        __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x22)), backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x5C));
        __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F));
        uint32_t found = (uint32_t)_mm_movemask_epi8(
            _mm_or_si128(_mm_or_si128(below, del), _mm_or_si128(quote, backslash)));
        uint32_t bits = (uint32_t)_mm_movemask_epi8(bytes);
        if (found) {
            int before = __builtin_ctz(found);
            if (bits & ((1u << before) - 1)) *high |= 0x80;
            *at += (size_t)before;
            return 1;
        }
        if (bits) *high |= 0x80;
    }
#endif
    for (; end - *at >= 8; *at += 8) {
        uint64_t eight;
        memcpy(&eight, text + *at, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        eight = __builtin_bswap64(eight);
#endif
        uint64_t found = specials(eight);
        if (found) {
            int before = __builtin_ctzll(found) & ~7;
            *high |= eight & ((1ull << before) - 1);
            *at += (size_t)before / 8;
            return 1;
        }
        *high |= eight;
    }
    return 0;
}

// The last bytes, fewer than eight, from `at` on; behind them spaces.
static inline uint64_t tail(const uint8_t *text, size_t at, size_t count) {
    size_t rest = count - at;
    uint64_t bytes = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (count >= 8) {
        memcpy(&bytes, text + count - 8, 8);
        bytes >>= 64 - 8 * rest;
    } else if (rest >= 4) {
        uint32_t first, second;
        memcpy(&first, text + at, 4);
        memcpy(&second, text + count - 4, 4);
        bytes = first | (uint64_t)second << (8 * (rest - 4));
    } else
#endif
        for (size_t i = 0; i < rest; i++) bytes |= (uint64_t)text[at + i] << (8 * i);
    return bytes | EACH(0x20) << (8 * rest);
}

size_t sluice_json_plain(const uint8_t *text, size_t count, int *is_ascii) {
    size_t at = 0;
    uint64_t high = 0;
    int found = find_special(text, &at, count < 64 ? count : 64, &high);
    // A block of fixed length without an exit is what compilers turn into vector code by themselves.
    for (; !found && count - at >= BLOCK; at += BLOCK) {
        uint8_t special = 0, bits = 0;
        for (int i = 0; i < BLOCK; i++) {
            uint8_t byte = text[at + i];
            special |= (uint8_t)((byte < 0x20) | (byte == 0x22) | (byte == 0x5C) | (byte == 0x7F));
            bits |= byte;
        }
        if (special) break;
        high |= bits;
    }
    if (!found) found = find_special(text, &at, count, &high);
    if (!found && at < count) {
        uint64_t last = tail(text, at, count), place = specials(last);
        size_t before = place ? (size_t)__builtin_ctzll(place) / 8 : count - at;
        high |= before ? last & (~0ull >> (64 - 8 * before)) : 0;
        at += before;
    }
    *is_ascii = (high & EACH(0x80)) == 0;
    return at;
}

ssize_t sluice_json_string(const uint8_t *text, size_t count) {
    size_t at = 0;
#if defined(__SSE2__)
    for (; count - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(text + at));
        // Signed: what is no ASCII is below zero.
        __m128i below = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
        __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x22)), backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x5C));
        uint32_t found = (uint32_t)_mm_movemask_epi8(_mm_or_si128(below, _mm_or_si128(quote, backslash)));
        if (found) {
            at += (size_t)__builtin_ctz(found);
            return text[at] == '"' ? (ssize_t)at : -1;
        }
    }
#else
    for (; count - at >= 8; at += 8) {
        uint64_t eight;
        memcpy(&eight, text + at, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        eight = __builtin_bswap64(eight);
#endif
        uint64_t found = specials(eight) | (eight & EACH(0x80));
        if (found) {
            at += (size_t)__builtin_ctzll(found) / 8;
            return text[at] == '"' ? (ssize_t)at : -1;
        }
    }
#endif
    for (; at < count; at++) {
        if (text[at] == '"') return (ssize_t)at;
        if (text[at] < 0x20 || text[at] == 0x5C || text[at] >= 0x80) break;
    }
    return -1;
}

// Letters, digits and !#$%&'*+-.^_`|~ (RFC 9110, section 5.6.2).
static const uint8_t TOKEN[256] = {
    ['!'] = 1, ['#'] = 1, ['$'] = 1, ['%'] = 1, ['&'] = 1, ['\''] = 1, ['*'] = 1, ['+'] = 1, ['-'] = 1, ['.'] = 1,
    ['^'] = 1, ['_'] = 1, ['`'] = 1, ['|'] = 1, ['~'] = 1, ['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1,
};

int sluice_is_token(const uint8_t *text, size_t count) {
    uint8_t all = 1;
#if defined(__clang__)
#pragma clang loop unroll_count(4)
#endif
    for (size_t at = 0; at < count; at++) all &= TOKEN[text[at]];
    return count > 0 && all != 0;
}

size_t sluice_json_field(uint8_t *to, const uint8_t *name, size_t name_count, const uint8_t *value, size_t value_count) {
    int is_ascii = 0;
    if (sluice_json_plain(name, name_count, &is_ascii) != name_count) return 0;
    if (sluice_json_plain(value, value_count, &is_ascii) != value_count) return 0;
    uint8_t *end = to;
    *end++ = '"';
    if (name_count) memcpy(end, name, name_count);
    end += name_count;
    memcpy(end, "\":\"", 3);
    end += 3;
    if (value_count) memcpy(end, value, value_count);
    end += value_count;
    *end++ = '"';
    return (size_t)(end - to);
}

int sluice_is_ascii(const uint8_t *text, size_t count) {
    uint8_t bits = 0;
    for (size_t at = 0; at < count; at++) bits |= text[at];
    return bits < 0x80;
}

// MARK: Base64

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode_plain(const uint8_t *from, size_t count, uint8_t *to) {
    for (; count >= 3; from += 3, count -= 3, to += 4) {
        uint32_t group = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
        to[0] = (uint8_t)ALPHABET[group >> 18];
        to[1] = (uint8_t)ALPHABET[group >> 12 & 63];
        to[2] = (uint8_t)ALPHABET[group >> 6 & 63];
        to[3] = (uint8_t)ALPHABET[group & 63];
    }
    if (count == 0) return;
    uint32_t group = (uint32_t)from[0] << 16 | (count == 2 ? (uint32_t)from[1] << 8 : 0);
    to[0] = (uint8_t)ALPHABET[group >> 18];
    to[1] = (uint8_t)ALPHABET[group >> 12 & 63];
    to[2] = count == 2 ? (uint8_t)ALPHABET[group >> 6 & 63] : '=';
    to[3] = '=';
}

// The value of a character; 64 and more for what is none. Branches cost little here: only tails and strange processors come by.
static inline uint32_t value_of(uint8_t byte) {
    if (byte >= 'A' && byte <= 'Z') return byte - 'A';
    if (byte >= 'a' && byte <= 'z') return byte - 'a' + 26;
    if (byte >= '0' && byte <= '9') return byte - '0' + 52;
    return byte == '+' ? 62 : byte == '/' ? 63 : 0x80;
}

// `count` characters without padding; 4 of them are 3 bytes, 3 are 2, 2 are 1.
static bool decode_plain(const uint8_t *from, size_t count, uint8_t *to) {
    for (; count >= 4; from += 4, count -= 4, to += 3) {
        uint32_t a = value_of(from[0]), b = value_of(from[1]), c = value_of(from[2]), d = value_of(from[3]);
        if ((a | b | c | d) & 0x80) return false;
        uint32_t group = a << 18 | b << 12 | c << 6 | d;
        to[0] = (uint8_t)(group >> 16);
        to[1] = (uint8_t)(group >> 8);
        to[2] = (uint8_t)group;
    }
    if (count == 0) return true;
    if (count == 1) return false;
    uint32_t a = value_of(from[0]), b = value_of(from[1]), c = count == 3 ? value_of(from[2]) : 0;
    if ((a | b | c) & 0x80) return false;
    uint32_t group = a << 18 | b << 12 | c << 6;
    to[0] = (uint8_t)(group >> 16);
    if (count == 3) to[1] = (uint8_t)(group >> 8);
    return true;
}

#if defined(__x86_64__)

// W. Muła and D. Lemire, "Faster Base64 Encoding and Decoding Using AVX2 Instructions", ACM TWEB 2018: 24 bytes are 32
// characters at a time. Both return how much of the input they took.

__attribute__((target("avx2"))) static size_t encode_avx2(const uint8_t *from, size_t count, uint8_t *to) {
    // Each group of three bytes twice in its 32 bits, so that shifts by multiplication reach all four values.
    const __m256i spread = _mm256_setr_epi8(
        1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10, 1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
    // What to add to a value to get its character, by the class that it is in.
    const __m256i offsets = _mm256_setr_epi8(
        65, 71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 0, 0, 65, 71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19,
        -16, 0, 0);
    size_t at = 0;
    // The second load ends 28 bytes behind the first one's beginning.
    for (; count - at >= 28; at += 24, to += 32) {
        __m128i low = _mm_loadu_si128((const __m128i *)(from + at));
        __m128i high = _mm_loadu_si128((const __m128i *)(from + at + 12));
        __m256i in = _mm256_shuffle_epi8(_mm256_set_m128i(high, low), spread);
        __m256i ac = _mm256_mulhi_epu16(_mm256_and_si256(in, _mm256_set1_epi32(0x0FC0FC00)), _mm256_set1_epi32(0x04000040));
        __m256i bd = _mm256_mullo_epi16(_mm256_and_si256(in, _mm256_set1_epi32(0x003F03F0)), _mm256_set1_epi32(0x01000010));
        __m256i values = _mm256_or_si256(ac, bd);
        __m256i class = _mm256_subs_epu8(values, _mm256_set1_epi8(51));
        class = _mm256_sub_epi8(class, _mm256_cmpgt_epi8(values, _mm256_set1_epi8(25)));
        _mm256_storeu_si256((__m256i *)to, _mm256_add_epi8(values, _mm256_shuffle_epi8(offsets, class)));
    }
    return at;
}

__attribute__((target("avx2"))) static size_t decode_avx2(const uint8_t *from, size_t count, uint8_t *to) {
    const __m256i low_table = _mm256_setr_epi8(
        0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1A, 0x1B, 0x1B, 0x1B, 0x1A, 0x15, 0x11, 0x11,
        0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1A, 0x1B, 0x1B, 0x1B, 0x1A);
    const __m256i high_table = _mm256_setr_epi8(
        0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x01,
        0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10);
    const __m256i offsets = _mm256_setr_epi8(
        0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m256i order = _mm256_setr_epi8(
        2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1, 2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
    const __m256i slash = _mm256_set1_epi8(0x2F);
    size_t at = 0;
    // 32 bytes are written for 24: what is left of the input must have room for the other 8.
    for (; count - at >= 44; at += 32, to += 24) {
        __m256i text = _mm256_loadu_si256((const __m256i *)(from + at));
        __m256i high = _mm256_and_si256(_mm256_srli_epi32(text, 4), slash);
        __m256i low = _mm256_and_si256(text, slash);
        // No bit in common: the two nibbles belong to one character of the alphabet.
        if (!_mm256_testz_si256(_mm256_shuffle_epi8(low_table, low), _mm256_shuffle_epi8(high_table, high))) break;
        __m256i shift = _mm256_shuffle_epi8(offsets, _mm256_add_epi8(_mm256_cmpeq_epi8(text, slash), high));
        __m256i values = _mm256_add_epi8(text, shift);
        __m256i pairs = _mm256_maddubs_epi16(values, _mm256_set1_epi32(0x01400140));
        __m256i groups = _mm256_shuffle_epi8(_mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000)), order);
        groups = _mm256_permutevar8x32_epi32(groups, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, -1, -1));
        _mm256_storeu_si256((__m256i *)to, groups);
    }
    return at;
}

#endif

void sluice_base64_encode(const uint8_t *bytes, size_t count, uint8_t *text) {
    size_t done = 0;
#if defined(__x86_64__)
    if (HAS_AVX2) done = encode_avx2(bytes, count, text);
#endif
    encode_plain(bytes + done, count - done, text + done / 3 * 4);
}

int sluice_base64_decode(const uint8_t *text, size_t count, uint8_t *bytes) {
    size_t done = 0;
#if defined(__x86_64__)
    // What it cannot take, the other one refuses.
    if (HAS_AVX2) done = decode_avx2(text, count, bytes);
#endif
    return decode_plain(text + done, count - done, bytes + done / 4 * 3) ? 1 : 0;
}

// MARK: Search

const uint8_t *sluice_find(const uint8_t *bytes, size_t count, const uint8_t *wanted, size_t wanted_count) {
    return memmem(bytes, count, wanted, wanted_count);
}
