#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CSluiceRuntime.h"
#include "files.h"

#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

// The `Runtime` module does this too, for 70 MB of memory that it keeps. Here the file is mapped, read once from front to
// back, and unmapped. Nothing in it is trusted: each read goes through a span that knows its end. What no span guards
// against is a file that is cut short while it is mapped: reading behind its new end is a SIGBUS, and ends the process.

struct span { const uint8_t *at, *end; };

struct target {
    uintptr_t address;  // as in the file; after the look-up of images, sorted
    size_t index;       // in the caller's arrays
    uintptr_t function, function_end;
    bool has_line, is_open;  // open: matched a row of line 0, waits for the next real one
    uint64_t file;
    uint32_t line, column;
};

struct elf {
    struct span symbols, names, lines, line_strings, strings;
    uintptr_t text_start, text_end;
};

// MARK: Reading

static size_t left(const struct span *span) { return (size_t)(span->end - span->at); }

static struct span part(const uint8_t *start, size_t size, uint64_t offset, uint64_t length) {
    if (offset > size || length > size - offset) return (struct span){NULL, NULL};
    return (struct span){start + offset, start + offset + length};
}

// All readers: behind the end they read zeros and stay there, and callers see an empty span.
static uint64_t fixed(struct span *span, size_t size) {
    uint64_t value = 0;
    if (left(span) < size) {
        span->at = span->end;
        return 0;
    }
    memcpy(&value, span->at, size);
    span->at += size;
    return value;
}

static uint64_t uleb(struct span *span) {
    uint64_t value = 0;
    for (unsigned shift = 0; span->at < span->end; shift += 7) {
        uint8_t byte = *span->at++;
        if (shift < 64) value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) break;
    }
    return value;
}

static int64_t sleb(struct span *span) {
    uint64_t value = 0;
    for (unsigned shift = 0; span->at < span->end;) {
        uint8_t byte = *span->at++;
        if (shift < 64) value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
        if (byte >= 0x80) continue;
        if (shift < 64 && byte & 0x40) value |= ~(uint64_t)0 << shift;
        break;
    }
    return (int64_t)value;
}

static void skip(struct span *span, uint64_t size) {
    span->at = size > left(span) ? span->end : span->at + size;
}

// NULL if the text has no end inside the span.
static const char *text(struct span *span) {
    const uint8_t *end = span->at < span->end ? memchr(span->at, 0, left(span)) : NULL;
    const char *start = (const char *)span->at;
    span->at = end == NULL ? span->end : end + 1;
    return end == NULL ? NULL : start;
}

static const char *text_at(struct span strings, uint64_t offset) {
    skip(&strings, offset);
    return text(&strings);
}

// MARK: The file's parts

static bool open_elf(const uint8_t *file, size_t size, struct elf *elf) {
    ElfW(Ehdr) header;
    memset(elf, 0, sizeof *elf);
    if (size < sizeof header) return false;
    memcpy(&header, file, sizeof header);
    if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64) return false;
    if (header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_shentsize != sizeof(ElfW(Shdr))) return false;
    struct span table = part(file, size, header.e_shoff, (uint64_t)header.e_shnum * sizeof(ElfW(Shdr)));
    if (table.at == NULL || header.e_shstrndx >= header.e_shnum) return false;
    ElfW(Shdr) section, other;
    memcpy(&section, table.at + header.e_shstrndx * sizeof section, sizeof section);
    struct span names = part(file, size, section.sh_offset, section.sh_size);
    bool has_full_table = false;
    elf->text_start = UINTPTR_MAX;
    for (size_t i = 0; i < header.e_shnum; i++) {
        memcpy(&section, table.at + i * sizeof section, sizeof section);
        if (section.sh_flags & SHF_EXECINSTR && section.sh_addr + section.sh_size >= section.sh_addr) {
            if (section.sh_addr < elf->text_start) elf->text_start = section.sh_addr;
            if (section.sh_addr + section.sh_size > elf->text_end) elf->text_end = section.sh_addr + section.sh_size;
        }
        if (section.sh_type == SHT_NOBITS || section.sh_flags & SHF_COMPRESSED) continue;
        struct span content = part(file, size, section.sh_offset, section.sh_size);
        if (content.at == NULL) continue;
        if (section.sh_type == SHT_SYMTAB || (section.sh_type == SHT_DYNSYM && !has_full_table)) {
            if (section.sh_link >= header.e_shnum || section.sh_entsize != sizeof(ElfW(Sym))) continue;
            memcpy(&other, table.at + section.sh_link * sizeof other, sizeof other);
            if (other.sh_type == SHT_NOBITS || other.sh_flags & SHF_COMPRESSED) continue;
            elf->symbols = content;
            elf->names = part(file, size, other.sh_offset, other.sh_size);
            has_full_table = section.sh_type == SHT_SYMTAB;
            continue;
        }
        const char *name = text_at(names, section.sh_name);
        if (name == NULL) continue;
        if (strcmp(name, ".debug_line") == 0) elf->lines = content;
        if (strcmp(name, ".debug_line_str") == 0) elf->line_strings = content;
        if (strcmp(name, ".debug_str") == 0) elf->strings = content;
    }
    return true;
}

// The first target at or behind an address.
static size_t first_from(const struct target *targets, size_t count, uintptr_t address) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (targets[middle].address < address) low = middle + 1;
        else high = middle;
    }
    return low;
}

static void find_functions(const struct elf *elf, struct target *targets, size_t count, struct sluice_symbol *out) {
    size_t total = left(&elf->symbols) / sizeof(ElfW(Sym));
    for (size_t i = 0; i < total; i++) {
        ElfW(Sym) symbol;
        memcpy(&symbol, elf->symbols.at + i * sizeof symbol, sizeof symbol);
        int type = ELF64_ST_TYPE(symbol.st_info);
        if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbol.st_shndx == SHN_UNDEF) continue;
        uintptr_t start = symbol.st_value, end = start + symbol.st_size;
        if (end < start) continue;
        for (size_t at = first_from(targets, count, start); at < count && targets[at].address < end; at++) {
            if (targets[at].function > start || (targets[at].function == start && targets[at].function_end != 0)) continue;
            const char *name = text_at(elf->names, symbol.st_name);
            if (name == NULL) continue;
            targets[at].function = start;
            targets[at].function_end = end;
            char *copy = out[targets[at].index].function;
            strncpy(copy, name, sizeof out->function - 1);
            copy[sizeof out->function - 1] = 0;
        }
    }
}

// MARK: Line programs

struct unit {
    struct span tables;  // from the directories on
    uint16_t version;
};

// One entry of a DWARF 5 directory or file list. False for a form that is not expected here.
static bool read_entry(
    struct span *span, struct span formats, uint64_t format_count, const struct elf *elf, const char **name, uint64_t *folder
) {
    *name = NULL;
    *folder = 0;
    for (uint64_t i = 0; i < format_count; i++) {
        uint64_t kind = uleb(&formats), form = uleb(&formats), number = 0;
        const char *string = NULL;
        switch (form) {
        case 0x08: string = text(span); break;                                   // string
        case 0x0e: string = text_at(elf->strings, fixed(span, 4)); break;        // strp
        case 0x1f: string = text_at(elf->line_strings, fixed(span, 4)); break;   // line_strp
        case 0x0b: number = fixed(span, 1); break;                               // data1, 2, 4, 8
        case 0x05: number = fixed(span, 2); break;
        case 0x06: number = fixed(span, 4); break;
        case 0x07: number = fixed(span, 8); break;
        case 0x0f: number = uleb(span); break;                                   // udata
        case 0x1e: skip(span, 16); break;                                        // data16
        case 0x09: skip(span, uleb(span)); break;                                // block
        default: return false;
        }
        if (kind == 1) *name = string;
        if (kind == 2) *folder = number;
    }
    return true;
}

// The name at `wanted` in a DWARF 5 list; the span is left behind the list if `wanted` is past its end.
static bool find_entry(struct span *span, const struct elf *elf, uint64_t wanted, const char **name, uint64_t *folder) {
    uint64_t format_count = fixed(span, 1);
    struct span formats = *span;
    for (uint64_t i = 0; i < format_count; i++) uleb(span), uleb(span);
    uint64_t count = uleb(span);
    if (format_count == 0) return false;
    for (uint64_t i = 0; i < count && span->at < span->end; i++) {
        if (!read_entry(span, formats, format_count, elf, name, folder)) return false;
        if (i == wanted) return *name != NULL;
    }
    return false;
}

static void join(char *out, size_t size, const char *const parts[3]) {
    size_t used = 0;
    for (int i = 0; i < 3; i++) {
        if (parts[i] == NULL || parts[i][0] == 0) continue;
        if (used > 0 && used < size - 1 && out[used - 1] != '/') out[used++] = '/';
        size_t length = strnlen(parts[i], size - 1 - used);
        memcpy(out + used, parts[i], length);
        used += length;
    }
    out[used] = 0;
}

static void find_file(const struct unit *unit, const struct elf *elf, uint64_t file, char *out, size_t size) {
    const char *name = NULL, *folder_name = NULL, *home = NULL;
    uint64_t folder = 0, unused;
    if (unit->version >= 5) {
        struct span span = unit->tables, folders = span, first = span;
        find_entry(&span, elf, UINT64_MAX, &name, &unused);  // to the end of the directories
        if (!find_entry(&span, elf, file, &name, &folder)) return;
        if (!find_entry(&folders, elf, folder, &folder_name, &unused)) folder_name = NULL;
        if (folder == 0 || !find_entry(&first, elf, 0, &home, &unused)) home = NULL;
    } else {
        struct span span = unit->tables, folders = span;
        const char *each;
        while ((each = text(&span)) != NULL && each[0] != 0) {}
        for (uint64_t i = 1; (name = text(&span)) != NULL && name[0] != 0; i++) {
            folder = uleb(&span);
            uleb(&span), uleb(&span);
            if (i == file) break;
        }
        if (name == NULL || name[0] == 0) return;
        for (uint64_t i = 1; folder != 0 && (each = text(&folders)) != NULL && each[0] != 0; i++)
            if (i == folder) { folder_name = each; break; }
    }
    if (folder_name == NULL || folder_name[0] == '/') home = NULL;
    if (name[0] == '/' || name[0] == '<') folder_name = home = NULL;
    join(out, size, (const char *const[3]){home, folder_name, name});
}

struct row {
    uintptr_t address;
    uint64_t file;
    uint32_t line, column;
};

static void take(struct target *target, const struct row *row) {
    target->file = row->file;
    target->line = row->line;
    target->column = row->column;
}

// Runs one line program. Returns whether a target was found in it.
static bool run(
    struct span code, const uint8_t *lengths, uint8_t opcode_base, uint8_t step, int8_t line_base, uint8_t line_range,
    const struct elf *elf, struct target *targets, size_t count
) {
    static const struct row start = {0, 1, 1, 0};
    struct row row = start, last = start, real = start;
    bool has_last = false, has_real = false, is_code = false, has_found = false;
    size_t next = count, open = count;  // the targets ahead; the first that waits for a real line
    while (code.at < code.end) {
        uint8_t opcode = *code.at++;
        bool adds_row = false, is_end = false;
        if (opcode >= opcode_base) {
            uint8_t adjusted = opcode - opcode_base;
            row.address += (uintptr_t)(adjusted / line_range) * step;
            row.line += (uint32_t)(line_base + adjusted % line_range);
            adds_row = true;
        } else switch (opcode) {
        case 0: {
            uint64_t length = uleb(&code);
            if (length == 0 || length > left(&code)) return has_found;
            struct span extended = {code.at, code.at + length};
            code.at += length;
            uint8_t kind = *extended.at++;
            if (kind == 1) adds_row = is_end = true;
            if (kind == 2 && length == 9) {
                row.address = fixed(&extended, 8);
                // Functions that the linker dropped are left in the table, at address 0 or so.
                is_code = row.address >= elf->text_start && row.address < elf->text_end;
                if (!has_last || row.address < last.address) {
                    next = is_code ? first_from(targets, count, row.address) : count;
                    has_last = false;
                }
            }
            break;
        }
        case 1: adds_row = true; break;
        case 2: row.address += uleb(&code) * step; break;
        case 3: row.line += (uint32_t)sleb(&code); break;
        case 4: row.file = uleb(&code); break;
        case 5: row.column = (uint32_t)uleb(&code); break;
        case 8: row.address += (uintptr_t)((255 - opcode_base) / line_range) * step; break;
        case 9: row.address += fixed(&code, 2); break;
        default:
            for (uint8_t i = 0; i < lengths[opcode]; i++) uleb(&code);
        }
        if (!adds_row) continue;
        if (is_code && has_last) {
            while (next < count && targets[next].address < row.address) {
                struct target *target = &targets[next++];
                if (target->has_line || target->address < last.address) continue;
                target->has_line = has_found = true;
                if (last.line != 0) {
                    take(target, &last);
                } else if (has_real && real.address >= target->function) {
                    take(target, &real);  // compiler-made code: the line before it says where that happened
                } else {
                    target->is_open = true;
                    if (open == count) open = next - 1;
                }
            }
        }
        if (row.line != 0 && !is_end) {
            real = row;
            has_real = true;
            for (; open < next && open < count; open++) {
                if (!targets[open].is_open) continue;
                targets[open].is_open = false;
                if (row.address < targets[open].function_end) take(&targets[open], &row);
            }
            open = count;
        }
        last = row;
        has_last = true;
        if (is_end) {
            row = start;
            has_last = has_real = is_code = false;
            for (; open < next && open < count; open++) targets[open].is_open = false;
            next = open = count;
        }
    }
    return has_found;
}

static void find_lines(const struct elf *elf, struct target *targets, size_t count, struct sluice_symbol *out) {
    struct span all = elf->lines;
    while (left(&all) > 4) {
        uint64_t length = fixed(&all, 4);
        bool is_wide = length == 0xffffffff;  // 64-bit DWARF: nobody's compiler writes it
        if (is_wide) length = fixed(&all, 8);
        if (length > left(&all)) return;
        struct span span = {all.at, all.at + length};
        all.at += length;
        struct unit unit = {.version = (uint16_t)fixed(&span, 2)};
        if (is_wide || unit.version < 2 || unit.version > 5) continue;
        if (unit.version == 5 && (fixed(&span, 1) != 8 || fixed(&span, 1) != 0)) continue;  // address and selector size
        uint64_t header_length = fixed(&span, 4);
        if (header_length > left(&span)) continue;
        struct span code = {span.at + header_length, span.end};
        span.end = code.at;
        uint8_t step = (uint8_t)fixed(&span, 1);
        if (unit.version >= 4) fixed(&span, 1);  // operations per instruction
        fixed(&span, 1);                         // is_stmt: not used here
        int8_t line_base = (int8_t)fixed(&span, 1);
        uint8_t line_range = (uint8_t)fixed(&span, 1), opcode_base = (uint8_t)fixed(&span, 1);
        if (line_range == 0 || opcode_base == 0 || left(&span) < (size_t)opcode_base - 1) continue;
        const uint8_t *lengths = span.at - 1;  // the first is of opcode 1
        span.at += opcode_base - 1;
        unit.tables = span;
        bool is_done = true;
        for (size_t i = 0; i < count; i++) is_done = is_done && targets[i].has_line;
        if (is_done) return;
        if (!run(code, lengths, opcode_base, step, line_base, line_range, elf, targets, count)) continue;
        for (size_t i = 0; i < count; i++) {
            struct sluice_symbol *symbol = &out[targets[i].index];
            if (!targets[i].has_line || targets[i].line == 0 || symbol->line != 0) continue;
            symbol->line = targets[i].line;
            symbol->column = targets[i].column;
            find_file(&unit, elf, targets[i].file, symbol->file, sizeof symbol->file);
        }
    }
}

static void read_elf(const uint8_t *file, size_t size, struct target *targets, size_t count, struct sluice_symbol *out) {
    struct elf elf;
    if (!open_elf(file, size, &elf)) return;
    find_functions(&elf, targets, count, out);
    find_lines(&elf, targets, count, out);
}

// MARK: Names

__attribute__((weak)) char *swift_demangle(const char *, size_t, char *, size_t *, uint32_t);

size_t sluice_demangle(const char *mangled, char *out, size_t size) {
    // Without a buffer the runtime allocates one: what it does with a short one has changed over the years.
    char *name = swift_demangle && size > 0 ? swift_demangle(mangled, strlen(mangled), NULL, NULL, 0) : NULL;
    if (name == NULL) return 0;
    size_t length = strnlen(name, size - 1);
    memcpy(out, name, length);
    out[length] = 0;
    free(name);
    return length;
}

// MARK: The process

struct image {
    uintptr_t address;  // asked for
    uintptr_t bias, end;
    char path[PATH_MAX];
};

static int find_image(struct dl_phdr_info *info, size_t size, void *argument) {
    (void)size;
    struct image *image = argument;
    struct extent all = extent(info);
    if (image->address < all.start || image->address >= all.end) return 0;
    image->bias = info->dlpi_addr;
    image->end = all.end;
    const char *name = info->dlpi_name;
    if (name == NULL || name[0] == 0) name = "/proc/self/exe";  // the program itself, even if its file was replaced
    strncpy(image->path, name, sizeof image->path - 1);
    image->path[sizeof image->path - 1] = 0;
    return 1;
}

static int by_address(const void *left, const void *right) {
    uintptr_t a = ((const struct target *)left)->address, b = ((const struct target *)right)->address;
    return (a > b) - (a < b);
}

static void read_image(const struct image *image, struct target *targets, size_t count, struct sluice_symbol *out) {
    struct mapping file = map_file(image->path);
    if (file.at == NULL) return;
    for (size_t i = 0; i < count; i++) targets[i].address -= image->bias;
    read_elf(file.at, file.size, targets, count, out);
    unmap_file(file);
    for (size_t i = 0; i < count; i++) targets[i].address += image->bias;
}

size_t sluice_symbolicate(const uintptr_t *addresses, size_t count, struct sluice_symbol *out) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static struct image image;  // a path is too large for a small stack
    if (count == 0) return 0;
    memset(out, 0, count * sizeof *out);
    struct target *targets = calloc(count, sizeof *targets);
    if (targets == NULL) return 0;
    for (size_t i = 0; i < count; i++) {
        targets[i].address = addresses[i] - 1;
        targets[i].index = i;
    }
    qsort(targets, count, sizeof *targets, by_address);
    pthread_mutex_lock(&mutex);
    for (size_t first = 0; first < count;) {
        size_t after = first + 1;
        image.address = targets[first].address;
        if (dl_iterate_phdr(find_image, &image) != 0) {
            while (after < count && targets[after].address < image.end) after++;
            read_image(&image, targets + first, after - first, out);
        }
        first = after;
    }
    pthread_mutex_unlock(&mutex);
    free(targets);
    size_t known = 0;
    for (size_t i = 0; i < count; i++) known += out[i].function[0] != 0 || out[i].line != 0;
    return known;
}
