// Sixteen threads calculate for the first time at once, in a program that has no descriptor left for the library's file: with scripts/portable_math.c.
#define _GNU_SOURCE
#include <math.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

enum { threads = 16 };
static pthread_barrier_t barrier;
static volatile double x = 10;

static void *calculate(void *unused) {
    (void)unused;
    pthread_barrier_wait(&barrier);
    return pow(2, x) == 1024 && sin(x) < 0 ? &barrier : NULL;
}

int main(void) {
    struct rlimit limit = {64, 64};
    setrlimit(RLIMIT_NOFILE, &limit);
    pthread_t thread[threads];
    pthread_barrier_init(&barrier, NULL, threads + 1);
    for (int i = 0; i < threads; i++) pthread_create(&thread[i], NULL, calculate, NULL);
    while (dup(0) >= 0) {}
    pthread_barrier_wait(&barrier);
    int right = 0;
    for (int i = 0; i < threads; i++) {
        void *result;
        pthread_join(thread[i], &result);
        right += result != NULL;
    }
    return right != threads;
}
