#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CSluiceRuntime.h"

#if defined(__linux__)
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

// Of Swift's concurrency runtime and of libdispatch, as Foundation's run loop uses it. Weak: where one is missing, all stays as it was.
typedef __attribute__((swiftcall)) void drain(void);
typedef __attribute__((swiftcall)) void drain_hook(drain *original, drain *of_an_older_compiler);
extern __attribute__((weak)) drain_hook *swift_task_asyncMainDrainQueue_hook;
extern __attribute__((weak)) int _dispatch_get_main_queue_handle_4CF(void);
extern __attribute__((weak)) void _dispatch_main_queue_callback_4CF(void *);

// Never returns: where the main task ends, it ends the process.
static __attribute__((swiftcall)) void serve(drain *original, drain *of_an_older_compiler) {
    (void)of_an_older_compiler;
    // Where there is one processor, the workers that were begun a moment ago go first: they ask for the first invocation.
    sched_yield();
    // libdispatch traps where its descriptor cannot be made.
    int probe = eventfd(0, EFD_CLOEXEC);
    if (probe < 0) original();
    close(probe);
    struct pollfd queue = {.fd = _dispatch_get_main_queue_handle_4CF(), .events = POLLIN};
    for (;;) {
        // What comes while it drains wakes the next poll.
        _dispatch_main_queue_callback_4CF(NULL);
        eventfd_t woken;
        if (poll(&queue, 1, -1) > 0) (void)eventfd_read(queue.fd, &woken);
    }
}

void sluice_serve_main_queue(void) {
    if (&swift_task_asyncMainDrainQueue_hook == NULL || _dispatch_get_main_queue_handle_4CF == NULL
        || _dispatch_main_queue_callback_4CF == NULL) return;
    if (swift_task_asyncMainDrainQueue_hook == NULL) swift_task_asyncMainDrainQueue_hook = serve;
}
#else
void sluice_serve_main_queue(void) {}
#endif
