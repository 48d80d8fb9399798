#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CSluiceRuntime.h"
#include "tasks.h"

#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

// Of libswiftCore. Weak: a runtime without them must still link.
#define WEAK __attribute__((weak))
typedef void (*untyped_hook)(void *box);
typedef void (*typed_hook)(void *value, const void *type, const void *conformance);
WEAK extern _Atomic(untyped_hook) _swift_willThrow;
WEAK extern _Atomic(typed_hook) _swift_willThrowTypedImpl;
struct box { void *error, *value; };
WEAK __attribute__((swiftcall)) struct box swift_allocError(const void *, const void *, void *, bool);
WEAK void swift_errorRelease(void *);
// Only their addresses are used. The first three are the runtime's own frames below a throw.
WEAK extern const char swift_willThrow[], swift_willThrowTypedImpl[], swift_willThrowTyped[];
WEAK extern const char swift_job_run[], swift_job_run_on_task_executor[], swift_job_run_on_serial_and_task_executor[];
// swift::runJobInEstablishedExecutorContext(Job*): hidden, so found by name in a static program only.
WEAK extern const char job_runner[] __asm__("_ZN5swift34runJobInEstablishedExecutorContextEPNS_3JobE");

// Where scripts/package puts these seven together, as it leaves the unwind tables out.
WEAK extern const char sluice_runtime_start[], sluice_runtime_end[];

struct range { uintptr_t start, end; };
#define MAX_TEXTS 256
static struct range texts[MAX_TEXTS];
static size_t text_count;
static struct range throwers[3], runners[3];
static _Atomic uintptr_t runner_start, runner_end;  // of job_runner; learned by the first walk where no symbol tells

static int add_text(struct dl_phdr_info *info, size_t size, void *unused) {
    (void)size, (void)unused;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_LOAD || !(header->p_flags & PF_X) || text_count == MAX_TEXTS) continue;
        uintptr_t start = info->dlpi_addr + header->p_vaddr;
        texts[text_count++] = (struct range){start, start + header->p_memsz};
    }
    return 0;
}

// What user addresses have. On arm64 a signature of a return address may stand above them (branch protection), which names the same
// place with and without.
#if defined(__aarch64__)
#define ADDRESS_BITS 48
static uintptr_t plain(uintptr_t address) { return address & (((uintptr_t)1 << ADDRESS_BITS) - 1); }
#else
#define ADDRESS_BITS 47
static uintptr_t plain(uintptr_t address) { return address; }
#endif

static bool is_within(struct range range, uintptr_t address) {
    return address >= range.start && address < range.end;
}

static bool is_text(uintptr_t address) {
    for (size_t i = 0; i < text_count; i++)
        if (is_within(texts[i], address)) return true;
    return false;
}

struct bounds { uintptr_t start, end; };

// The table of .eh_frame_hdr is sorted by function start and survives `strip`: the next start ends the function.
static int find_end(struct dl_phdr_info *info, size_t size, void *argument) {
    (void)size;
    struct bounds *bounds = argument;
    bool is_here = false;
    const uint8_t *table = NULL;
    size_t table_size = 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_LOAD && bounds->start - start < header->p_memsz) is_here = true;
        if (header->p_type == PT_GNU_EH_FRAME) table = (const uint8_t *)start, table_size = header->p_memsz;
    }
    if (!is_here) return 0;
    // The one form that linkers write: 32-bit offsets from the table itself.
    if (table_size < 12 || table[0] != 1 || table[1] != 0x1b || table[2] != 0x03 || table[3] != 0x3b) return 1;
    uint32_t count;
    memcpy(&count, table + 8, 4);
    if (count > (table_size - 12) / 8) return 1;
    const int32_t *entries = (const int32_t *)(table + 12);
    size_t low = 0, high = count;  // the first entry behind the start
    while (low < high) {
        size_t middle = (low + high) / 2;
        if ((uintptr_t)table + (intptr_t)entries[2 * middle] > bounds->start) high = middle;
        else low = middle + 1;
    }
    if (low < count) bounds->end = (uintptr_t)table + (intptr_t)entries[2 * low];
    return 1;
}

// One of the seven ends where the next one starts.
static struct range function_together(uintptr_t start) {
    const char *all[] = {
        swift_willThrow, swift_willThrowTypedImpl, swift_willThrowTyped, swift_job_run, swift_job_run_on_task_executor,
        swift_job_run_on_serial_and_task_executor, job_runner,
    };
    uintptr_t end = (uintptr_t)sluice_runtime_end;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if ((uintptr_t)all[i] > start && (uintptr_t)all[i] < end) end = (uintptr_t)all[i];
    return (struct range){start, end};
}

static struct range function_at(uintptr_t start) {
    if (start == 0) return (struct range){0, 0};
    if (is_within((struct range){(uintptr_t)sluice_runtime_start, (uintptr_t)sluice_runtime_end}, start))
        return function_together(start);
    struct bounds bounds = {start, 0};
    dl_iterate_phdr(find_end, &bounds);
    // A gap behind the function may be large where code has no unwind table.
    if (bounds.end == 0 || bounds.end - start > 4096) bounds.end = start + 512;
    return (struct range){bounds.start, bounds.end};
}

// The first range stays: threads may learn it at the same moment. Its end goes first, and 0 for a start means "not yet".
static void set_runner(struct range range) {
    uintptr_t none = 0;
    if (!atomic_compare_exchange_strong(&runner_end, &none, range.end)) return;
    atomic_store_explicit(&runner_start, range.start, memory_order_release);
}

static void prepare(void) {
    dl_iterate_phdr(add_text, NULL);
    throwers[0] = function_at((uintptr_t)swift_willThrow);
    throwers[1] = function_at((uintptr_t)swift_willThrowTypedImpl);
    throwers[2] = function_at((uintptr_t)swift_willThrowTyped);
    runners[0] = function_at((uintptr_t)swift_job_run);
    runners[1] = function_at((uintptr_t)swift_job_run_on_task_executor);
    runners[2] = function_at((uintptr_t)swift_job_run_on_serial_and_task_executor);
    if ((uintptr_t)job_runner != 0) set_runner(function_at((uintptr_t)job_runner));
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static bool is_one_of(const struct range *ranges, uintptr_t address) {
    return is_within(ranges[0], address) || is_within(ranges[1], address) || is_within(ranges[2], address);
}

static bool is_runner(uintptr_t address) {
    uintptr_t start = atomic_load_explicit(&runner_start, memory_order_acquire);
    return start != 0 && address >= start && address < atomic_load_explicit(&runner_end, memory_order_relaxed);
}

// The function that the call just before a return address goes to; 0 for an indirect one.
static uintptr_t callee(uintptr_t back) {
#if defined(__x86_64__)
    int32_t offset;
    if (*(const uint8_t *)(back - 5) != 0xe8) return 0;
    memcpy(&offset, (const void *)(back - 4), 4);
    return back + (intptr_t)offset;
#elif defined(__aarch64__)
    uint32_t word = *(const uint32_t *)(back - 4);
    if (word >> 26 != 0x25) return 0;
    return back - 4 + (intptr_t)((int32_t)(word << 6) >> 4);
#else
    (void)back;
    return 0;
#endif
}

struct thread {
    uintptr_t stack_start, stack_end;
    const uintptr_t *hook_frame;  // while a hook runs: where the walk starts
};
// Initial-exec: one load per access, and no allocation on first use.
static _Thread_local struct thread thread __attribute__((tls_model("initial-exec")));

static void find_stack(void) {
    pthread_attr_t attributes;
    void *start;
    size_t size;
    thread.stack_end = 1;  // asked, not known
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
    if (pthread_attr_getstack(&attributes, &start, &size) == 0) {
        thread.stack_start = (uintptr_t)start;
        thread.stack_end = (uintptr_t)start + size;
    }
    pthread_attr_destroy(&attributes);
}

// An AsyncContext starts with its caller's context and the function that resumes the caller. The last one has no parent:
// what it resumes is the runtime's own end of the task.
static size_t walk_contexts(uintptr_t context, uintptr_t *out, size_t count, size_t max) {
    // A job that is no task has no contexts: its frame has something else in that place.
    if (!swift_task_getCurrent || !swift_task_getCurrent()) return count;
    while (count < max) {
        if (context < 4096 || context % 8 != 0 || context >> ADDRESS_BITS != 0) break;
        uintptr_t parent = ((const uintptr_t *)context)[0], resume = plain(((const uintptr_t *)context)[1]);
        if (parent == 0 || parent == context || !is_text(resume)) break;
        // Not a return address but a function's first byte: one more, so that "address - 1" is right for every frame.
        out[count++] = resume + 1;
        context = parent;
    }
    return count;
}

// Async frames are marked (bit 60 of the saved frame pointer) on Darwin, on Linux only if the compiler is asked to. They are
// known by their caller, the job runner. Each job has one, the outermost: async functions only tail-call each other.
__attribute__((noinline)) size_t sluice_walk_frames(uintptr_t *out, size_t max) {
    const uintptr_t *frame = __builtin_frame_address(0), *inner = NULL;
    const uintptr_t mark = (uintptr_t)1 << 60;
    uintptr_t floor = (uintptr_t)frame;
    size_t count = 0;
    pthread_once(&once, prepare);
    if (thread.stack_end == 0) find_stack();
    if (floor < thread.stack_start) return 0;  // a signal stack, a foreign fiber
    if (thread.hook_frame != NULL) frame = thread.hook_frame;
    uintptr_t previous = 0;
    while (count < max) {
        uintptr_t at = (uintptr_t)frame;
        if (at % 8 != 0 || at < floor || at >= thread.stack_end || thread.stack_end - at < 16) break;
        uintptr_t next = frame[0] & ~mark, back = plain(frame[1]);
        if (!is_text(back)) break;
        if (frame[0] & mark || is_runner(back)) {
            // The runner's own frame must be where it says: by it we know that `frame` is no accident.
            if (next <= at || next % 8 != 0 || next >= thread.stack_end || thread.stack_end - next < 16) break;
            if (!is_text(plain(((const uintptr_t *)next)[1]))) break;
            return walk_contexts(frame[-1], out, count, max);
        }
        if (is_one_of(runners, back)) {
            uintptr_t runner = callee(back);
            if (runner == 0 || !is_text(runner) || inner == NULL) break;
            bool is_proved = is_runner(previous);
            if (atomic_load_explicit(&runner_start, memory_order_relaxed) == 0) {
                // Kept as long as the process lives, so only if the frame below lies in it.
                struct range learned = function_at(runner);
                is_proved = is_within(learned, previous);
                if (is_proved) set_runner(learned);
            }
            if (!is_proved) break;
            return walk_contexts(inner[-1], out, count - 1, max);
        }
        if (!is_one_of(throwers, back)) out[count++] = previous = back, inner = frame;
        if (next <= at) break;
        floor = at;
        frame = (const uintptr_t *)next;
    }
    return count;
}

static _Atomic(sluice_throw_callback) callback;
static _Atomic(untyped_hook) untyped_before;
static _Atomic(typed_hook) typed_before;

// An error thrown by the callback itself is not told: no recursion.
static void tell(const uintptr_t *frame, const void *error, const void *type) {
    sluice_throw_callback told = atomic_load_explicit(&callback, memory_order_acquire);
    if (told == NULL || thread.hook_frame != NULL) return;
    thread.hook_frame = frame;
    told(error, type);
    thread.hook_frame = NULL;
}

static void on_throw(void *box) {
    tell(__builtin_frame_address(0), box, NULL);
    untyped_hook before = atomic_load_explicit(&untyped_before, memory_order_acquire);
    if (before != NULL) before(box);
}

static void on_typed_throw(void *value, const void *type, const void *conformance) {
    tell(__builtin_frame_address(0), value, type);
    typed_hook typed = atomic_load_explicit(&typed_before, memory_order_acquire);
    untyped_hook untyped = atomic_load_explicit(&untyped_before, memory_order_acquire);
    if (typed != NULL) {
        typed(value, type, conformance);
    } else if (untyped != NULL && swift_allocError && swift_errorRelease) {
        // What the runtime does itself while there is only an untyped hook.
        struct box box = swift_allocError(type, conformance, value, false);
        untyped(box.error);
        swift_errorRelease(box.error);
    }
}

int sluice_install_throw_hook(sluice_throw_callback told) {
    static atomic_flag is_installed = ATOMIC_FLAG_INIT;
    if (!&_swift_willThrow || !&_swift_willThrowTypedImpl) return -1;
    // What the walk must know is found by the first one: it reads pages of the program that nothing else needs.
    atomic_store(&callback, told);
    // Once only: a hook installed later may chain to ours, and a second round would make a ring.
    if (atomic_flag_test_and_set(&is_installed)) return 0;
    atomic_store(&untyped_before, atomic_load(&_swift_willThrow));
    atomic_store(&typed_before, atomic_load(&_swift_willThrowTypedImpl));
    atomic_store(&_swift_willThrow, on_throw);
    atomic_store(&_swift_willThrowTypedImpl, on_typed_throw);
    return 0;
}
