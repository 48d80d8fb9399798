// The start of a packaged program that lies at a random address. Some forty thousand of its words are addresses that have to be moved
// along. In the loader's own form that is a megabyte to read at each start; as RELR, a bitmap, some kilobytes. Amazon Linux's loader does
// not know it (glibc 2.36 was the first that does), so the program moves them itself, before anything else of it runs. scripts/package
// links with --pack-dyn-relocs=relr --use-android-relr-tags -e sluice_start: the tags are those of Android, at which no glibc looks.
// The generic ABI's chapter "Dynamic Linking", DT_RELR, has the format.
#if defined(__linux__) && defined(__LP64__) && (defined(__x86_64__) || defined(__aarch64__))
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define HIDDEN __attribute__((visibility("hidden")))

// The linker makes it. Not weak, as is nothing that is used here: the address of what is weak is read from a table, on arm64 always.
extern const ElfW(Ehdr) __ehdr_start HIDDEN;

enum { ANDROID_RELR = 0x6fffe000, ANDROID_RELR_SIZE = 0x6fffe001, POPULATE_FOR_WRITING = 23, bits_of_word = 8 * sizeof(uintptr_t), first_zeros = 20 };

// From the page of the one address to that of the other: one call in the place of a fault for each page. Where a kernel older than 5.14 does
// not know it, faults; and no error that a program would find at its start.
static inline __attribute__((always_inline)) void will_write(uintptr_t first, uintptr_t last, uintptr_t page) {
    if (last / page == first / page) return;
    if (madvise((void *)(first & -page), (last | (page - 1)) + 1 - (first & -page), POPULATE_FOR_WRITING) != 0) errno = 0;
}

// Nothing here may read a word that is still to be moved: no pointer that has a first value, no table of a switch.
HIDDEN __attribute__((used, no_stack_protector, section(".text.sluice_start"))) void sluice_move_addresses(void) {
    // By how much all lies elsewhere than the linker thought: at 0, or at --image-base.
    uintptr_t base = (uintptr_t)&__ehdr_start;
    const ElfW(Phdr) *part = (const ElfW(Phdr) *)(base + __ehdr_start.e_phoff), *dynamic = NULL, *closed = NULL, *variables = NULL;
    for (int index = 0; index < __ehdr_start.e_phnum; index++, part++) {
        if (part->p_type == PT_LOAD && part->p_offset == 0) base -= part->p_vaddr;
        if (part->p_type == PT_LOAD && part->p_memsz > part->p_filesz) variables = part;
        if (part->p_type == PT_DYNAMIC) dynamic = part;
        if (part->p_type == PT_GNU_RELRO) closed = part;
    }
    if (dynamic == NULL) return;
    const uintptr_t *entry = NULL;
    size_t count = 0;
    for (const ElfW(Dyn) *item = (const ElfW(Dyn) *)(base + dynamic->p_vaddr); item->d_tag != DT_NULL; item++) {
        if (item->d_tag == ANDROID_RELR) entry = (const uintptr_t *)(base + item->d_un.d_ptr);
        if (item->d_tag == ANDROID_RELR_SIZE) count = item->d_un.d_val / sizeof *entry;
    }
    if (entry == NULL) return;

    // What the loader has made read-only when it was through.
    uintptr_t start = 0, end = 0, page = (uintptr_t)sysconf(_SC_PAGESIZE);
    if (closed != NULL) {
        start = (base + closed->p_vaddr) & -page;
        end = (base + closed->p_vaddr + closed->p_memsz) & -page;
    }
    if (end > start && mprotect((void *)start, end - start, PROT_READ | PROT_WRITE) != 0) _exit(127);
    // Neighbouring pages that will be written, together; single ones are left to faults.
    uintptr_t first = 0, last = 0, next = 0;
    for (size_t index = 0; index < count; index++) {
        uintptr_t word = entry[index], highest = base + word;
        if (word & 1) {
            highest = next + sizeof word * (uintptr_t)(bits_of_word - 2 - __builtin_clzl(word));
            next += sizeof word * (bits_of_word - 1);
        } else {
            next = highest + sizeof word;
        }
        if (highest / page > last / page + 1) {
            will_write(first, last, page);
            first = highest;
        }
        last = highest;
    }
    will_write(first, last, page);
    // Of the variables that begin as zeros those of the app and of Sluice come first, and most of them are touched at a start, for reading and
    // then for writing: two faults each.
    if (variables != NULL && variables->p_memsz - variables->p_filesz > first_zeros * page) {
        uintptr_t zeros = base + variables->p_vaddr + variables->p_filesz;
        will_write(zeros, zeros + first_zeros * page, page);
    }

    uintptr_t *place = NULL;
    for (; count > 0; count--, entry++) {
        if ((*entry & 1) == 0) {
            place = (uintptr_t *)(base + *entry);
            *place++ += base;
            continue;
        }
        for (uintptr_t bits = *entry >> 1; bits != 0; bits &= bits - 1) place[__builtin_ctzl(bits)] += base;
        place += bits_of_word - 1;
    }
    if (end > start && mprotect((void *)start, end - start, PROT_READ) != 0) _exit(127);
}

// The loader jumps here. What it hands to `_start` in a register is kept.
#if defined(__x86_64__)
__asm__(".section .text.sluice_start, \"ax\", @progbits\n"
        ".globl sluice_start\n.hidden sluice_start\n.type sluice_start, @function\n.weak _start\n"
        "sluice_start:\n"
        "    push %rdx\n    sub $8, %rsp\n"
        "    call sluice_move_addresses\n"
        "    add $8, %rsp\n    pop %rdx\n"
        "    jmp _start\n"
        ".size sluice_start, . - sluice_start\n"
        ".text\n");
#else
__asm__(".section .text.sluice_start, \"ax\", @progbits\n"
        ".globl sluice_start\n.hidden sluice_start\n.type sluice_start, @function\n.weak _start\n"
        "sluice_start:\n"
        "    hint #34\n" // a landing pad, where branches are guarded
        "    str x0, [sp, #-16]!\n"
        "    bl sluice_move_addresses\n"
        "    ldr x0, [sp], #16\n"
        "    b _start\n"
        ".size sluice_start, . - sluice_start\n"
        ".text\n");
#endif
#endif
