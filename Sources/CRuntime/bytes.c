#define _GNU_SOURCE
#include "CSluiceRuntime.h"

#include <string.h>

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
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

#if defined(__aarch64__)
// Four bits for each byte, which is 0 or 0xFF: NEON has no instruction that takes one of each.
static inline uint64_t four_bits(uint8x16_t bytes) {
    return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(bytes), 4)), 0);
}
#endif

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
#elif defined(__aarch64__)
    for (; end - *at >= 16; *at += 16) {
        uint8x16_t bytes = vld1q_u8(text + *at);
        uint8x16_t quote = vceqq_u8(bytes, vdupq_n_u8(0x22)), backslash = vceqq_u8(bytes, vdupq_n_u8(0x5C));
        uint8x16_t outside = vorrq_u8(vcltq_u8(bytes, vdupq_n_u8(0x20)), vceqq_u8(bytes, vdupq_n_u8(0x7F)));
        uint64_t found = four_bits(vorrq_u8(outside, vorrq_u8(quote, backslash)));
        uint64_t bits = four_bits(vcgeq_u8(bytes, vdupq_n_u8(0x80)));
        if (found) {
            int before = __builtin_ctzll(found) & ~3;
            if (bits & ((1ull << before) - 1)) *high |= 0x80;
            *at += (size_t)before / 4;
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

// MARK: Search

const uint8_t *sluice_find(const uint8_t *bytes, size_t count, const uint8_t *wanted, size_t wanted_count) {
    return memmem(bytes, count, wanted, wanted_count);
}
