// What only C can do, or what Swift's Glibc module does not show. Each function says why it is here.
#pragma once
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A descriptor that wakes a poll. Swift's Glibc module does not import <sys/eventfd.h>.
/// Non-blocking and closed on exec. Returns -1 and sets errno on failure.
int sluice_eventfd(void);

/// A descriptor that becomes readable when the process has ended. glibc has a wrapper only from 2.36 on, newer than
/// Amazon Linux 2023. Returns -1 and sets errno on failure.
int sluice_pidfd_open(pid_t pid);

/// Starts a program that is killed when the calling *thread* ends (PR_SET_PDEATHSIG), which posix_spawn cannot ask for.
/// Between fork and exec only async-signal-safe calls are made. Signals are unblocked and at their defaults in the child.
/// Returns the process id, or -1 with errno of fork or of exec.
pid_t sluice_spawn(const char *path, char *const argv[], char *const envp[]);

/// Names the calling thread, for debuggers and `ps`: prctl is variadic. Linux keeps 15 bytes.
void sluice_name_thread(const char *name);

/// Sets `_X_AMZN_TRACE_ID` in a buffer that the environment keeps pointing to: `setenv` would leak each value. Text over 500
/// bytes is cut. One caller at a time.
void sluice_set_trace_variable(const char *value);

/// On `signal`, adds one to the eventfd `fd`: a handler may run in any frame, so it must be C. One descriptor per
/// process: the last one given counts. Returns 0, or -1 and errno.
int sluice_wake_on_signal(int signal, int fd);

/// The number of the last signal that `sluice_wake_on_signal` caught, 0 for none.
int sluice_last_signal(void);

#ifdef __cplusplus
}
#endif
