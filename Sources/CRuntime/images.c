#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CSluiceRuntime.h"
#include "files.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

// Paths live as long as the process, one copy of each however often the images are listed.
static const char *kept_path(const char *path) {
    static struct kept { struct kept *next; char path[]; } *_Atomic all;
    struct kept *first = all;
    for (struct kept *each = first; each != NULL; each = each->next)
        if (strcmp(each->path, path) == 0) return each->path;
    size_t size = strlen(path) + 1;
    struct kept *added = malloc(sizeof *added + size);
    if (added == NULL) return "";
    memcpy(added->path, path, size);
    added->next = first;
    while (!atomic_compare_exchange_weak(&all, &added->next, added)) {}
    return added->path;
}

// GNU build id: note type 3. Names and contents are padded to four bytes.
static void read_notes(const uint8_t *note, size_t size, struct sluice_image *image) {
    while (size >= 12) {
        uint32_t words[3];
        memcpy(words, note, sizeof words);
        size_t name = ((size_t)words[0] + 3) & ~(size_t)3, content = ((size_t)words[1] + 3) & ~(size_t)3;
        if (name > size - 12 || content > size - 12 - name) return;
        if (words[2] == 3 && words[0] == 4 && memcmp(note + 12, "GNU", 4) == 0) {
            size_t length = words[1] < sizeof image->build_id ? words[1] : sizeof image->build_id;
            memcpy(image->build_id, note + 12 + name, length);
            image->build_id_length = length;
            return;
        }
        note += 12 + name + content;
        size -= 12 + name + content;
    }
}

// Without a build id, symbolicators know a file by the XOR of the first 4096 bytes of its code.
static void hash_text(const char *path, uint8_t hash[16]) {
    struct mapping mapping = map_file(path);
    if (mapping.at == NULL) return;
    const uint8_t *file = mapping.at;
    size_t size = mapping.size;
    ElfW(Ehdr) header;
    if (size < sizeof header) goto done;
    memcpy(&header, file, sizeof header);
    ElfW(Shdr) names, section;
    if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_shentsize != sizeof section) goto done;
    if (header.e_shoff > size || (size_t)header.e_shnum * sizeof section > size - header.e_shoff) goto done;
    if (header.e_shstrndx >= header.e_shnum) goto done;
    memcpy(&names, file + header.e_shoff + header.e_shstrndx * sizeof section, sizeof names);
    if (names.sh_offset > size || names.sh_size > size - names.sh_offset) goto done;
    for (size_t i = 0; i < header.e_shnum; i++) {
        memcpy(&section, file + header.e_shoff + i * sizeof section, sizeof section);
        if (section.sh_type != SHT_PROGBITS || section.sh_name > names.sh_size) continue;
        if (names.sh_size - section.sh_name < 6 || memcmp(file + names.sh_offset + section.sh_name, ".text", 6) != 0) continue;
        if (section.sh_offset > size || section.sh_size > size - section.sh_offset) break;
        size_t length = section.sh_size < 4096 ? section.sh_size : 4096;
        for (size_t at = 0; at < length; at++) hash[at % 16] ^= file[section.sh_offset + at];
        break;
    }
done:
    unmap_file(mapping);
}

// The first 16 bytes, read as a GUID whose first three fields are little-endian.
static void to_guid(const uint8_t bytes[16], uint8_t guid[16]) {
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    for (size_t i = 0; i < 16; i++) guid[i] = bytes[order[i]];
}

struct listing {
    struct sluice_image *out;
    size_t count, max;
};

static int add_image(struct dl_phdr_info *info, size_t size, void *argument) {
    (void)size;
    struct listing *listing = argument;
    if (listing->count == listing->max) return 1;
    struct extent all = extent(info);
    if (all.start >= all.end) return 0;
    uintptr_t kernels_own = getauxval(AT_SYSINFO_EHDR);
    if (kernels_own != 0 && kernels_own >= all.start && kernels_own < all.end) return 0;
    struct sluice_image *image = &listing->out[listing->count++];
    memset(image, 0, sizeof *image);
    image->base = all.start & ~(uintptr_t)4095;
    image->size = all.end - image->base;
    char path[PATH_MAX];
    const char *name = info->dlpi_name;
    if (name == NULL || name[0] == 0) {  // the program itself
        ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
        path[length < 0 ? 0 : length] = 0;
        name = path;
    }
    image->path = kept_path(name);
    for (int i = 0; i < info->dlpi_phnum && image->build_id_length == 0; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_NOTE) continue;
        read_notes((const uint8_t *)(info->dlpi_addr + header->p_vaddr), header->p_memsz, image);
    }
    return 0;
}

size_t sluice_images(struct sluice_image *out, size_t max) {
    struct listing listing = {out, 0, max};
    dl_iterate_phdr(add_image, &listing);
    // Files are read after the loader's lock is given back.
    for (size_t i = 0; i < listing.count; i++) {
        uint8_t bytes[16] = {0};
        if (out[i].build_id_length > 0) memcpy(bytes, out[i].build_id, sizeof bytes);  // shorter ones have zeros behind
        else hash_text(out[i].path, bytes);
        to_guid(bytes, out[i].debug_id);
    }
    return listing.count;
}

struct sluice_place sluice_place_of(uintptr_t address) {
    Dl_info info;
    struct sluice_place place = {0};
    // The call lies before its return address.
    if (dladdr((const void *)(address - 1), &info) == 0) return place;
    place.function = info.dli_sname;
    place.path = info.dli_fname;
    place.offset = address - (uintptr_t)(info.dli_sname != NULL ? info.dli_saddr : info.dli_fbase);
    return place;
}
