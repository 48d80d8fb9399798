// Of Swift's concurrency runtime. Weak: a runtime without them must still link.
#pragma once
#include <stdint.h>

extern __attribute__((weak, swiftcall)) void *swift_task_getCurrent(void);
extern __attribute__((weak, swiftcall)) uint64_t swift_task_getJobTaskId(void *job);
