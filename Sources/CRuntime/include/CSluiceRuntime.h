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
/// Between fork and exec only async-signal-safe calls are made. Signals are unblocked and at their defaults in the child, which has a
/// process group of its own: what is typed at the terminal reaches the caller alone.
/// It works in `folder`, which may be NULL for the caller's.
/// Returns the process id, or -1 with errno of fork, of chdir or of exec.
pid_t sluice_spawn(const char *path, const char *folder, char *const argv[], char *const envp[]);

/// All threads share one heap from here on: glibc would map 128 MB of addresses for each, and take longer to start. And it keeps what
/// large blocks have taken (blocks up to 32 MiB, 64 MiB in all), for the next invocation. For a process in which one thread does the
/// work. What MALLOC_ARENA_MAX, MALLOC_TRIM_THRESHOLD_, MALLOC_MMAP_THRESHOLD_ or GLIBC_TUNABLES say stays. Swift's Glibc module does
/// not import <malloc.h>.
void sluice_set_malloc(void);

/// Lines that `print` writes leave when they are whole, also where standard output is no terminal: there libc would keep them, and a
/// kill would lose them. Swift's Glibc module shows `stdout` as a variable that nobody may touch.
void sluice_line_buffer_stdout(void);

/// Ends a line that `print(_:terminator:)` has left open, so that it leaves, and what is written next does not stand behind it. Where nothing
/// is waiting it takes neither a lock nor a system call.
void sluice_end_printed_line(void);

/// Names the calling thread, for debuggers and `ps`: prctl is variadic. Linux keeps 15 bytes.
void sluice_name_thread(const char *name);

/// Sets `_X_AMZN_TRACE_ID` in a buffer that the environment keeps pointing to: `setenv` would leak each value. Text over 500
/// bytes is cut. One caller at a time.
void sluice_set_trace_variable(const uint8_t *value, size_t count);

/// On `signal`, adds one to the eventfd `fd`: a handler may run in any frame, so it must be C. One descriptor per
/// process: the last one given counts. Returns 0, or -1 and errno.
int sluice_wake_on_signal(int signal, int fd);

/// Whether `signal` has a handler that is not ours.
int sluice_others_handle_signal(int signal);

/// From here on `signal` does again what it does by default, and nobody's descriptor is written to.
void sluice_forget_signal(int signal);

/// The number of the last signal that `sluice_wake_on_signal` caught, 0 for none.
int sluice_last_signal(void);

/// How many bytes of a text stand in a JSON string as they are, from the first one on: up to a quote, a backslash, a
/// control character or DEL. `is_ascii` says whether all of these are below 0x80. Vectorised: bodies have megabytes.
size_t sluice_json_plain(const uint8_t *text, size_t count, int *is_ascii);

/// How many bytes stand before the quote that ends a JSON string, where all of them are ASCII without escapes, as in most; -1 for any
/// other string, and where none ends.
ssize_t sluice_json_string(const uint8_t *text, size_t count);

/// Writes `"name":"value"`, 5 bytes more than the two have. 0, and nothing of use written, where one of them needs an escape.
size_t sluice_json_field(uint8_t *to, const uint8_t *name, size_t name_count, const uint8_t *value, size_t value_count);

/// Whether all bytes are below 0x80. Vectorised.
int sluice_is_ascii(const uint8_t *text, size_t count);

/// Whether a text is an HTTP token (RFC 9110, section 5.6.2), as header names are.
int sluice_is_token(const uint8_t *text, size_t count);

/// Where `wanted` first occurs in `bytes`; NULL where it does not. memmem is an extension of POSIX, which Swift does not see.
const uint8_t *sluice_find(const uint8_t *bytes, size_t count, const uint8_t *wanted, size_t wanted_count);

/// Base64 with padding (RFC 4648, section 4): `text` has room for (count + 2) / 3 * 4. Compiled for several processors.
void sluice_base64_encode(const uint8_t *bytes, size_t count, uint8_t *text);

/// `count` characters *without* padding; `bytes` has room for count / 4 * 3, and 2 more. Returns 0 when one is not of the
/// alphabet or one is left over.
int sluice_base64_decode(const uint8_t *text, size_t count, uint8_t *bytes);

/// The groups of four characters of the alphabet that `text` begins with; `bytes` has room as above, and as much may be written. Returns how
/// many characters that is.
size_t sluice_base64_prefix(const uint8_t *text, size_t count, uint8_t *bytes);

/// `type` is NULL for a boxed error; `error` is then the box: what `unsafeBitCast(error as any Error, to:
/// UnsafeRawPointer.self)` gives. For a typed throw it is the type's metadata, and `error` is the value's address.
typedef void (*sluice_throw_callback)(const void *error, const void *type);

/// From now on each Swift `throw` calls `callback`, on the throwing thread and before the error leaves the function: it
/// has to be quick, and errors thrown inside it are not told. NULL ends that. Hooks installed before are still called.
/// Returns -1 where the Swift runtime has no such hook.
int sluice_install_throw_hook(sluice_throw_callback callback);

/// Return addresses of the callers, innermost first: by frame pointers, then through the async callers that are on no
/// stack. Inside the throw hook the first is in the function that threw. For every one `address - 1` lies in the calling
/// function. Code compiled without frame pointers is left out, or ends the list.
size_t sluice_walk_frames(uintptr_t *out, size_t max);

/// A loaded program or library, as crash services want it.
struct sluice_image {
    uintptr_t base;
    uintptr_t size;
    /// Stays valid as long as the process lives.
    const char *path;
    uint8_t build_id[32];
    /// 0 without a GNU build id; a longer one is cut to 32.
    size_t build_id_length;
    /// A GUID, bytes in the order in which its text shows them. Made of the build id, else of the code; else zeros.
    uint8_t debug_id[16];
};

/// The loaded images, the program first. Returns how many were written.
size_t sluice_images(struct sluice_image *out, size_t max);

/// Starts a detached thread. `name` is cut to 15 bytes. With `takes_signals` 0 no signal is delivered to it, else those that the
/// calling thread takes: a mask must be set before the thread is there. Returns 0, or an errno.
int sluice_start_thread(const char *name, int takes_signals, void (*run)(void *), void *context);

/// The unique number of the Swift task that runs on this thread; 0 outside of tasks.
uint64_t sluice_current_task_id(void);

/// What a return address stands for. Empty and 0 where unknown.
struct sluice_symbol {
    /// As in the symbol table: mangled, cut to 511 bytes.
    char function[512];
    /// Of the innermost inlined function; `function` is the one that it was inlined into.
    char file[512];
    uint32_t line;
    uint32_t column;
};

/// Names, files and lines of return addresses, from the symbol tables and DWARF line tables of the loaded files. Takes tens
/// of milliseconds, keeps no memory; one caller at a time, others wait. Returns for how many anything was found.
size_t sluice_symbolicate(const uintptr_t *addresses, size_t count, struct sluice_symbol *out);

/// Where a return address lies, by what the loader has in memory anyway: no file is read. Needs _GNU_SOURCE.
struct sluice_place {
    /// Mangled; NULL where the image exports no name for it, as a stripped program does.
    const char *function;
    /// Of the image; NULL where the address is in none.
    const char *path;
    /// From the function's start, or from the image's base where it has no name.
    uintptr_t offset;
};
struct sluice_place sluice_place_of(uintptr_t address);

/// Writes the readable form of a mangled Swift name, cut to `size - 1` bytes, with a zero behind it. Returns its length; 0 if
/// it is no Swift name or the runtime cannot tell.
size_t sluice_demangle(const char *mangled, char *out, size_t size);

#ifdef __cplusplus
}
#endif
