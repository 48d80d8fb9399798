#include "CSluiceRuntime.h"

#include <stdbool.h>

#if defined(__x86_64__)
#include <immintrin.h>
#if __has_include(<sys/platform/x86.h>)
// What the loader knows already: asking the processor takes microseconds in a virtual machine, at every start.
#include <sys/platform/x86.h>
#define HAS_AVX2 CPU_FEATURE_ACTIVE(AVX2)
#else
#define HAS_AVX2 __builtin_cpu_supports("avx2")
#endif
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

// Base64 of RFC 4648. C, as Swift has no way to compile one function for several kinds of the processor.

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

// Groups of four characters, up to one with another character in it; returns how many characters that is.
static size_t decode_groups(const uint8_t *from, size_t count, uint8_t *to) {
    size_t at = 0;
    for (; count - at >= 4; at += 4, to += 3) {
        uint32_t a = value_of(from[at]), b = value_of(from[at + 1]), c = value_of(from[at + 2]), d = value_of(from[at + 3]);
        if ((a | b | c | d) & 0x80) break;
        uint32_t group = a << 18 | b << 12 | c << 6 | d;
        to[0] = (uint8_t)(group >> 16);
        to[1] = (uint8_t)(group >> 8);
        to[2] = (uint8_t)group;
    }
    return at;
}

// `count` characters without padding; 4 of them are 3 bytes, 3 are 2, 2 are 1.
static bool decode_plain(const uint8_t *from, size_t count, uint8_t *to) {
    size_t done = decode_groups(from, count, to);
    from += done;
    to += done / 4 * 3;
    count -= done;
    if (count >= 4) return false;
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

#elif defined(__aarch64__)

// Every such processor has NEON, whose loads and stores take three and four byte streams apart and together, and whose tables have 64
// entries: W. Muła's and D. Lemire's way is not needed. Both return how much of the input they took, and read and write nothing else.

static size_t encode_neon(const uint8_t *from, size_t count, uint8_t *to) {
    const uint8x16x4_t alphabet = vld1q_u8_x4((const uint8_t *)ALPHABET);
    const uint8x16_t low_six = vdupq_n_u8(0x3F);
    size_t at = 0;
    for (; count - at >= 48; at += 48, to += 64) {
        uint8x16x3_t in = vld3q_u8(from + at);
        uint8x16_t b = vsliq_n_u8(vshrq_n_u8(in.val[1], 4), in.val[0], 4);
        uint8x16_t c = vsliq_n_u8(vshrq_n_u8(in.val[2], 6), in.val[1], 2);
        uint8x16x4_t text = {{
            vqtbl4q_u8(alphabet, vshrq_n_u8(in.val[0], 2)),
            vqtbl4q_u8(alphabet, vandq_u8(b, low_six)),
            vqtbl4q_u8(alphabet, vandq_u8(c, low_six)),
            vqtbl4q_u8(alphabet, vandq_u8(in.val[2], low_six)),
        }};
        vst4q_u8(to, text);
    }
    return at;
}

#define NONE 0x80
#define NONE_16 NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE
// The values of the characters 0 to 127.
static const uint8_t VALUES[128] = {
    NONE_16, NONE_16,
    NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, 62, NONE, NONE, NONE, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NONE, NONE, NONE, NONE, NONE, NONE,
    NONE, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NONE, NONE, NONE, NONE, NONE,
    NONE, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NONE, NONE, NONE, NONE, NONE,
};

// A look-up behind the end of a table leaves 0 (vqtbl) or what was there (vqtbx). The top bit is set for what has no value.
static inline uint8x16_t values_of(uint8x16_t text, uint8x16x4_t low, uint8x16x4_t high) {
    uint8x16_t values = vqtbx4q_u8(vqtbl4q_u8(low, text), high, vsubq_u8(text, vdupq_n_u8(64)));
    return vorrq_u8(values, vandq_u8(text, vdupq_n_u8(NONE)));
}

static size_t decode_neon(const uint8_t *from, size_t count, uint8_t *to) {
    const uint8x16x4_t low = vld1q_u8_x4(VALUES), high = vld1q_u8_x4(VALUES + 64);
    size_t at = 0;
    for (; count - at >= 64; at += 64, to += 48) {
        uint8x16x4_t text = vld4q_u8(from + at);
        uint8x16_t a = values_of(text.val[0], low, high), b = values_of(text.val[1], low, high);
        uint8x16_t c = values_of(text.val[2], low, high), d = values_of(text.val[3], low, high);
        if (vmaxvq_u8(vorrq_u8(vorrq_u8(a, b), vorrq_u8(c, d))) >= NONE) break;
        uint8x16x3_t bytes = {{
            vsliq_n_u8(vshrq_n_u8(b, 4), a, 2),
            vsliq_n_u8(vshrq_n_u8(c, 2), b, 4),
            vsliq_n_u8(d, c, 6),
        }};
        vst3q_u8(to, bytes);
    }
    return at;
}

#endif

void sluice_base64_encode(const uint8_t *bytes, size_t count, uint8_t *text) {
    size_t done = 0;
#if defined(__x86_64__)
    if (HAS_AVX2) done = encode_avx2(bytes, count, text);
#elif defined(__aarch64__)
    done = encode_neon(bytes, count, text);
#endif
    encode_plain(bytes + done, count - done, text + done / 3 * 4);
}

// What a vector loop cannot take, the plain one takes or refuses.
static size_t decode_vectors(const uint8_t *text, size_t count, uint8_t *bytes) {
#if defined(__x86_64__)
    return HAS_AVX2 ? decode_avx2(text, count, bytes) : 0;
#elif defined(__aarch64__)
    return decode_neon(text, count, bytes);
#else
    return 0;
#endif
}

size_t sluice_base64_prefix(const uint8_t *text, size_t count, uint8_t *bytes) {
    size_t done = decode_vectors(text, count, bytes);
    return done + decode_groups(text + done, count - done, bytes + done / 4 * 3);
}

int sluice_base64_decode(const uint8_t *text, size_t count, uint8_t *bytes) {
    size_t done = decode_vectors(text, count, bytes);
    return decode_plain(text + done, count - done, bytes + done / 4 * 3) ? 1 : 0;
}
