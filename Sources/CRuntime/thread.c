#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CSluiceRuntime.h"
#include "tasks.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct start {
    char name[16];
    void (*run)(void *);
    void *context;
};

static void *begin(void *raw) {
    struct start start = *(struct start *)raw;
    free(raw);
    sluice_name_thread(start.name);
    start.run(start.context);
    return NULL;
}

int sluice_start_thread(const char *name, int takes_signals, void (*run)(void *), void *context) {
    struct start *start = calloc(1, sizeof *start);
    if (start == NULL) return ENOMEM;
    strncpy(start->name, name, sizeof start->name - 1);
    start->run = run;
    start->context = context;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigset_t all, before;
    sigfillset(&all);
    int synchronous[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT};
    for (size_t i = 0; i < sizeof synchronous / sizeof *synchronous; i++) sigdelset(&all, synchronous[i]);
    // The thread inherits the mask that it is started under.
    pthread_sigmask(SIG_SETMASK, takes_signals ? NULL : &all, &before);
    pthread_t thread;
    int code = pthread_create(&thread, &attributes, begin, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (code != 0) free(start);
    return code;
}


uint64_t sluice_current_task_id(void) {
    if (swift_task_getCurrent == NULL || swift_task_getJobTaskId == NULL) return 0;
    void *task = swift_task_getCurrent();
    return task == NULL ? 0 : swift_task_getJobTaskId(task);
}
