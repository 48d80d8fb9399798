#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CSluiceRuntime.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#ifdef __linux__
#include <stdio_ext.h>
#endif
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int sluice_eventfd(void) {
    return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

int sluice_pidfd_open(pid_t pid) {
#ifdef SYS_pidfd_open
    return (int)syscall(SYS_pidfd_open, pid, 0);
#else
    return (int)syscall(434, pid, 0);
#endif
}

pid_t sluice_spawn(const char *path, const char *folder, char *const argv[], char *const envp[]) {
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) return -1;
    pid_t parent = getpid();
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);  // no handler of ours may run in the child
    pid_t child = fork();
    if (child == 0) {
        for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        // Set after fork, so a parent that died in between is seen by its changed id.
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(127);
        // A group of its own: what is typed at the terminal is for the parent, which ends the child as Lambda would.
        setpgid(0, 0);
        if (folder == NULL || chdir(folder) == 0) execve(path, argv, envp);
        int failure = errno;
        ssize_t ignored = write(report[1], &failure, sizeof failure);
        (void)ignored;
        _exit(127);
    }
    int fork_failure = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(report[1]);
    if (child < 0) {
        close(report[0]);
        errno = fork_failure;
        return -1;
    }
    int failure = 0;
    ssize_t got;
    do got = read(report[0], &failure, sizeof failure);
    while (got < 0 && errno == EINTR);
    close(report[0]);
    if (got == (ssize_t)sizeof failure) {
        waitpid(child, NULL, 0);
        errno = failure;
        return -1;
    }
    return child;
}

#ifdef M_ARENA_MAX
// What the environment says of malloc has been heard when the process began, and a later mallopt would overrule it.
static void set_malloc(int option, int value, const char *variable, const char *tunable) {
    const char *tunables = getenv("GLIBC_TUNABLES");
    if (getenv(variable) || (tunables && strstr(tunables, tunable))) return;
    mallopt(option, value);
}
#endif

void sluice_set_malloc(void) {
#ifdef M_ARENA_MAX
    set_malloc(M_ARENA_MAX, 1, "MALLOC_ARENA_MAX", "glibc.malloc.arena_max=");
    // What a large invocation took is there for the next one: given back to the kernel each time, its page faults cost more than all the
    // rest. Left alone glibc adapts these two, to whatever order the first large blocks are freed in.
    set_malloc(M_TRIM_THRESHOLD, 64 << 20, "MALLOC_TRIM_THRESHOLD_", "glibc.malloc.trim_threshold=");
    set_malloc(M_MMAP_THRESHOLD, 32 << 20, "MALLOC_MMAP_THRESHOLD_", "glibc.malloc.mmap_threshold=");
#endif
}

void sluice_name_thread(const char *name) {
    prctl(PR_SET_NAME, name);
}

#define TRACE "_X_AMZN_TRACE_ID="

void sluice_set_trace_variable(const uint8_t *value, size_t count) {
    static char entry[sizeof TRACE + 500] = TRACE;
    static int is_placed = 0;
    char *place = entry + sizeof TRACE - 1;
    if (count > 499) count = 499;
    if (count) memcpy(place, value, count);
    place[count] = 0;
    if (!is_placed) is_placed = putenv(entry) == 0;
}

static _Atomic int wake_descriptor = -1;
static _Atomic int last_signal = 0;

static void wake(int number) {
    int saved = errno;
    uint64_t one = 1;
    atomic_store(&last_signal, number);
    int fd = atomic_load(&wake_descriptor);
    if (fd >= 0) {
        ssize_t ignored = write(fd, &one, sizeof one);
        (void)ignored;
    }
    errno = saved;
}

int sluice_wake_on_signal(int number, int fd) {
    atomic_store(&wake_descriptor, fd);
    struct sigaction action = {0};
    action.sa_handler = wake;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    return sigaction(number, &action, NULL);
}

int sluice_others_handle_signal(int number) {
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN
        && action.sa_handler != wake;
}

void sluice_forget_signal(int number) {
    signal(number, SIG_DFL);
    atomic_store(&wake_descriptor, -1);
}

int sluice_last_signal(void) {
    return atomic_load(&last_signal);
}

void sluice_line_buffer_stdout(void) { setvbuf(stdout, NULL, _IOLBF, 0); }

void sluice_end_printed_line(void) {
#ifdef __linux__
    // Without the stream's lock: what another thread prints just now is that thread's.
    if (__fpending(stdout) == 0) return;
    if (__flbf(stdout)) putc('\n', stdout);
#endif
    fflush(stdout);
}
