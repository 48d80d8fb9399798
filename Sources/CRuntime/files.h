// Loaded files, as the list of images and the look-up of symbols see them.
#pragma once
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct extent { uintptr_t start, end; };

/// Where an image's segments lie in memory. One without any starts behind its end.
static inline struct extent extent(const struct dl_phdr_info *info) {
    struct extent extent = {UINTPTR_MAX, 0};
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_LOAD) continue;
        uintptr_t low = info->dlpi_addr + header->p_vaddr;
        if (low < extent.start) extent.start = low;
        if (low + header->p_memsz > extent.end) extent.end = low + header->p_memsz;
    }
    return extent;
}

struct mapping {
    const uint8_t *at;
    size_t size;
};

/// A whole file, for reading; NULL where it is no regular file, is empty, or cannot be read.
static inline struct mapping map_file(const char *path) {
    struct mapping none = {NULL, 0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return none;
    struct stat status;
    void *file = MAP_FAILED;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0)
        file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    return file == MAP_FAILED ? none : (struct mapping){file, (size_t)status.st_size};
}

static inline void unmap_file(struct mapping file) {
    munmap((void *)file.at, file.size);
}
