// Where the main task is suspended, the main thread stays and serves the main queue, and so the main actor. libdispatch would end the thread,
// for which glibc loads libgcc_s, hand its work on to other threads, and begin one that waits for signals: a tenth of a start.
#if defined(__linux__)
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

// Of Swift's concurrency runtime and of libdispatch, as Foundation's run loop uses it. Weak: where one is missing, all stays as it was.
typedef __attribute__((swiftcall)) void drain(void);
typedef __attribute__((swiftcall)) void drain_hook(drain *original, drain *of_an_older_compiler);
extern __attribute__((weak)) drain_hook *swift_task_asyncMainDrainQueue_hook;
extern __attribute__((weak)) int _dispatch_get_main_queue_handle_4CF(void);
extern __attribute__((weak)) void _dispatch_main_queue_callback_4CF(void *);

// libdispatch traps where it cannot make its descriptor, and ending the thread takes one as well: this waits until there are some.
static void await_descriptors(void) {
    for (;;) {
        // Another thread may take one meanwhile.
        int one = eventfd(0, EFD_CLOEXEC), other = eventfd(0, EFD_CLOEXEC);
        if (one >= 0) close(one);
        if (other >= 0) close(other);
        if (one >= 0 && other >= 0) return;
        poll(NULL, 0, 10);
    }
}

// Never returns: where the main task ends, it ends the process.
static __attribute__((swiftcall)) void serve(drain *original, drain *of_an_older_compiler) {
    (void)of_an_older_compiler;
    // Where there is one processor, workers that were begun a moment ago go first: they ask for the first invocation.
    sched_yield();
    await_descriptors();
    sigset_t none;
    sigemptyset(&none);
    struct pollfd queue = {.fd = _dispatch_get_main_queue_handle_4CF(), .events = POLLIN};
    for (;;) {
        // What comes while it drains wakes the next poll.
        _dispatch_main_queue_callback_4CF(NULL);
        // Signals come through here, as in libdispatch's thread for them, whatever mask the process was started with.
        eventfd_t woken;
        if (ppoll(&queue, 1, NULL, &none) <= 0) continue;
        // Somebody has closed it.
        if (queue.revents & (POLLNVAL | POLLERR)) original();
        (void)eventfd_read(queue.fd, &woken);
    }
}

// Before anybody can be suspended. A program that has a hook of its own sets it later.
__attribute__((constructor)) static void stay(void) {
    if (&swift_task_asyncMainDrainQueue_hook == NULL || _dispatch_get_main_queue_handle_4CF == NULL
        || _dispatch_main_queue_callback_4CF == NULL) return;
    if (swift_task_asyncMainDrainQueue_hook == NULL) swift_task_asyncMainDrainQueue_hook = serve;
}
#endif
