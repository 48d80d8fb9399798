// The loops of bytes.c and base64.c against plain code that shares nothing with them, on random inputs. Each buffer ends or begins
// at a page that nobody may touch: a byte read or written outside of it ends the program. The same number of inputs gives the same
// digest on every processor. scripts/arm64 runs it on two:
//   clang -O2 -ISources/CRuntime/include Tests/Vectors/vectors.c Sources/CRuntime/{bytes,base64}.c && ./a.out 1000000
#define _GNU_SOURCE
#include "CSluiceRuntime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROOM 8192

// MARK: Plain code

static int is_plain(uint8_t byte) { return byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7F; }

static size_t plain_json(const uint8_t *text, size_t count, int *is_ascii) {
    size_t at = 0;
    *is_ascii = 1;
    for (; at < count && is_plain(text[at]); at++)
        if (text[at] >= 0x80) *is_ascii = 0;
    return at;
}

static int plain_is_token(const uint8_t *text, size_t count) {
    for (size_t i = 0; i < count; i++) {
        int letter = (text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'z' && text[i] < 0x80;
        int digit = text[i] >= '0' && text[i] <= '9';
        if (!letter && !digit && (text[i] == 0 || !strchr("!#$%&'*+-.^_`|~", text[i]))) return 0;
    }
    return count > 0;
}

static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Bit after bit. Returns how many characters, padding included.
static size_t plain_encode(const uint8_t *bytes, size_t count, uint8_t *text) {
    size_t length = 0;
    uint32_t held = 0;
    int bits = 0;
    for (size_t i = 0; i < count; i++) {
        held = held << 8 | bytes[i], bits += 8;
        while (bits >= 6) bits -= 6, text[length++] = (uint8_t)LETTERS[held >> bits & 63];
    }
    if (bits) text[length++] = (uint8_t)LETTERS[held << (6 - bits) & 63];
    while (length % 4) text[length++] = '=';
    return length;
}

// Without padding. Returns how many bytes, or -1.
static long plain_decode(const uint8_t *text, size_t count, uint8_t *bytes) {
    long length = 0;
    uint32_t held = 0;
    int bits = 0;
    if (count % 4 == 1) return -1;
    for (size_t i = 0; i < count; i++) {
        const char *place = text[i] ? strchr(LETTERS, text[i]) : NULL;
        if (!place) return -1;
        held = held << 6 | (uint32_t)(place - LETTERS), bits += 6;
        if (bits >= 8) bits -= 8, bytes[length++] = (uint8_t)(held >> bits);
    }
    return length;
}

// MARK: Inputs

static uint64_t state = 0x9E3779B97F4A7C15u;
static uint64_t draw(uint64_t below) {  // xorshift64*
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    return (state * 0x2545F4914F6CDD1Du >> 33) % below;
}

// Most are short; all lengths around the vectors' are there, and some are long.
static size_t draw_count(void) { return draw(64) ? draw(draw(4) ? 80 : 320) : draw(3000); }

static uint64_t digest = 0xCBF29CE484222325u;
static void note(const void *bytes, size_t count) {  // FNV-1a
    for (size_t i = 0; i < count; i++) digest = (digest ^ ((const uint8_t *)bytes)[i]) * 0x100000001B3u;
}
static void note_number(long number) {
    int64_t wide = number;
    for (int i = 0; i < 8; i++) note(&(uint8_t){(uint8_t)(wide >> 8 * i)}, 1);
}

struct area { uint8_t *start, *end; };  // between two pages that nobody may touch

static struct area area(void) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (ROOM + page - 1) / page * page;
    uint8_t *all = mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || mprotect(all + page, size, PROT_READ | PROT_WRITE) != 0) perror("vectors: mmap"), exit(2);
    return (struct area){all + page, all + page + size};
}

// `count` bytes at one of the area's ends.
static uint8_t *place(struct area area, size_t count) { return draw(2) ? area.end - count : area.start; }

static size_t wrong = 0;
static void expect(int holds, const char *what, size_t count, size_t round) {
    if (holds) return;
    if (wrong++ < 20) printf("vectors: %s differs: %zu bytes, input %zu\n", what, count, round);
}

// Text with few special bytes, so that they stand at every distance.
static void fill_text(uint8_t *text, size_t count) {
    static const uint8_t SPECIAL[] = {0, 0x1F, 0x20, '"', '\\', 0x7E, 0x7F, 0x80, 0xFF, '\n'};
    int kind = (int)draw(4);
    for (size_t i = 0; i < count; i++) text[i] = (uint8_t)(kind == 3 ? draw(256) : 'a' + draw(26));
    if (kind == 1 && count) text[draw(count)] = SPECIAL[draw(sizeof SPECIAL)];
    if (kind == 2 && count)
        for (int i = 0; i < 3; i++) text[draw(count)] = SPECIAL[draw(sizeof SPECIAL)];
}

static void try_text(struct area from, struct area to, size_t round) {
    size_t count = draw_count();
    uint8_t *text = place(from, count);
    fill_text(text, count);
    int ascii = -1, plain_ascii = -1;
    size_t length = sluice_json_plain(text, count, &ascii);
    expect(length == plain_json(text, count, &plain_ascii) && ascii == plain_ascii, "JSON", count, round);
    int all_ascii = 1;
    for (size_t i = 0; i < count; i++) all_ascii &= text[i] < 0x80;
    expect(sluice_is_ascii(text, count) == all_ascii, "ASCII", count, round);
    int token = sluice_is_token(text, count);
    expect(token == plain_is_token(text, count), "token", count, round);
    note_number((long)length), note_number(ascii), note_number(token);

    size_t name = count ? draw(count) : 0;
    uint8_t *field = place(to, count + 5);
    size_t written = sluice_json_field(field, text, name, text + name, count - name);
    expect(written == (length == count ? count + 5 : 0), "field", count, round);
    if (written) {
        expect(field[0] == '"' && memcmp(field + 1, text, name) == 0 && memcmp(field + 1 + name, "\":\"", 3) == 0
                   && memcmp(field + 4 + name, text + name, count - name) == 0 && field[count + 4] == '"',
               "field", count, round);
        note(field, written);
    }
}

static void try_base64(struct area from, struct area to, size_t round) {
    static uint8_t expected[ROOM];
    size_t count = draw_count();
    uint8_t *bytes = place(from, count);
    for (size_t i = 0; i < count; i++) bytes[i] = (uint8_t)draw(256);
    size_t length = plain_encode(bytes, count, expected);
    uint8_t *text = place(to, length);
    sluice_base64_encode(bytes, count, text);
    expect(memcmp(text, expected, length) == 0, "encoding", count, round);
    note(text, length);

    // And back, from where it may not read further; sometimes with a foreign character, or one too few or too many.
    while (length && expected[length - 1] == '=') length--;
    if (length && draw(4) == 0) expected[draw(length)] = (uint8_t)draw(256);
    if (draw(8) == 0) length -= length ? draw(2) : 0;
    text = place(from, length);
    memmove(text, expected, length);
    size_t room = length / 4 * 3 + 2;
    uint8_t *decoded = place(to, room);
    long plain = plain_decode(text, length, expected);
    int taken = sluice_base64_decode(text, length, decoded);
    expect(taken == (plain >= 0), "validity", length, round);
    if (taken && plain >= 0) expect(memcmp(decoded, expected, (size_t)plain) == 0, "decoding", length, round);
    note_number(plain);
    if (plain >= 0) note(expected, (size_t)plain);

    // From its front, the whole groups.
    static uint8_t front[ROOM];
    size_t groups = 0;
    while (groups + 4 <= length && plain_decode(text + groups, 4, front + groups / 4 * 3) == 3) groups += 4;
    expect(sluice_base64_prefix(text, length, decoded) == groups, "the front", length, round);
    expect(memcmp(decoded, front, groups / 4 * 3) == 0, "decoding the front", length, round);
}

int main(int count, char **arguments) {
    size_t inputs = count > 1 ? strtoul(arguments[1], NULL, 10) : 0;
    if (inputs == 0) return fprintf(stderr, "usage: %s INPUTS\n", arguments[0]), 2;
    struct area from = area(), to = area();
    for (size_t round = 0; round < inputs; round++) try_text(from, to, round), try_base64(from, to, round);
    printf("vectors: %zu inputs, %zu mismatches, digest %016llx\n", inputs, wrong, (unsigned long long)digest);
    return wrong != 0;
}
