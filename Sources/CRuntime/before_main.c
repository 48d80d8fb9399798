// What the libraries in a program ask the system for before `main`, and what costs more than it is worth there.
#if defined(__linux__)
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(__GLIBC__)
// The program's arguments, as `CommandLine` asks for them. The standard library's own object, linked in where nobody else defines these two,
// reads and parses /proc/self/maps for them in every program: a fourteenth of a start's instructions, and a file that a sandbox may lack.
// glibc hands the arguments to whoever runs before `main`, as it does on every Linux with it. Weak: if another standard library needs
// more of that object, its own are taken.
#define OURS __attribute__((weak, swiftcall, visibility("hidden")))

static char **arguments;
static int count;

__attribute__((constructor)) static void keep(int argument_count, char **given) {
    if (arguments != NULL) return;
    count = argument_count;
    arguments = given;
}

OURS char **_swift_stdlib_getUnsafeArgvArgc(int *how_many) {
    *how_many = count;
    return arguments;
}

OURS void _swift_stdlib_overrideUnsafeArgvArgc(char **given, int argument_count) {
    arguments = given;
    count = argument_count;
}

// libdispatch asks before `main` how many processors there are, configured and online, for which glibc 2.34 reads a folder of /sys and others
// read a file, twice: a thirtieth of a start. The first answer is how many the process may run on, as glibc 2.34 counts those online;
// whoever asks later gets the system's. What is linked statically asks here.
extern long __sysconf(int);
__attribute__((weak, visibility("hidden"))) long sysconf(int name) {
    static _Atomic int has_told_configured, has_told_online;
    _Atomic int *has_told = name == _SC_NPROCESSORS_CONF ? &has_told_configured : name == _SC_NPROCESSORS_ONLN ? &has_told_online : NULL;
    cpu_set_t processors;
    if (has_told != NULL && !atomic_exchange(has_told, 1) && sched_getaffinity(0, sizeof processors, &processors) == 0) {
        return CPU_COUNT(&processors);
    }
    return __sysconf(name);
}

// Where the program is that writes the backtrace of a crash: Swift's runtime looks in ten places at each start. On Lambda a program that brings
// one says so with SWIFT_BACKTRACE. For scripts/package, which links with --wrap for this name.
extern char *__real_swift_copyAuxiliaryExecutablePath(const char *) __attribute__((weak));
__attribute__((visibility("hidden"))) char *__wrap_swift_copyAuxiliaryExecutablePath(const char *name) {
    if (getenv("AWS_LAMBDA_RUNTIME_API") != NULL && getenv("SWIFT_BACKTRACE") == NULL) return NULL;
    return __real_swift_copyAuxiliaryExecutablePath == NULL ? NULL : __real_swift_copyAuxiliaryExecutablePath(name);
}
#endif
#endif
