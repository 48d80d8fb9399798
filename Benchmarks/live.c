// Preloaded into a measured program (LD_PRELOAD): on SIGUSR1 it writes how many bytes of the heap are in use to the file that
// LIVE_FILE names. bench.py builds it, the driver sends the signal. For programs that are dynamically linked against glibc.
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

static int file = -1;

// mallinfo2 is not for signal handlers: it takes the heap's lock and would wait forever for a thread that it interrupted
// inside malloc. Here it may be called, as the driver sends the signal only while the program waits for `next`, all threads
// asleep: then nobody holds the lock.
static void write_live(int signal) {
    (void)signal;
    static uint64_t count;
    int code = errno;  // the interrupted call's
    struct mallinfo2 info = mallinfo2();
    // What lies free in a thread's cache counts as in use too: seven pieces of each size at most.
    uint64_t written[2] = {info.uordblks + info.hblkhd, ++count};  // the count last: with it the driver sees that it is new
    ssize_t ignored = pwrite(file, written, sizeof written, 0);
    (void)ignored;
    errno = code;
}

__attribute__((constructor)) static void prepare(void) {
    const char *path = getenv("LIVE_FILE");
    if (path) file = open(path, O_WRONLY | O_CLOEXEC);
    struct sigaction action = {.sa_handler = write_live, .sa_flags = SA_RESTART};
    if (file >= 0) sigaction(SIGUSR1, &action, NULL);
}
