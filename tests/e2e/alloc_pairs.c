/*
 * alloc_pairs.c - malloc() and free(), a given number of times, for somebody who counts the
 * instructions.
 *
 *     alloc_pairs main|thread COUNT
 *
 * The shim takes it for php-fpm when its file is called so.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *make_pairs(void *count)
{
    for (long i = *(long *) count; i > 0; i--) {
        void *volatile ptr = malloc(64);

        free(ptr);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    long count = argc == 3 ? atol(argv[2]) : 0;
    pthread_t thread;

    if (count <= 0) {
        fprintf(stderr, "usage: alloc_pairs main|thread COUNT\n");
        return 2;
    }
    if (strcmp(argv[1], "thread") != 0) {
        make_pairs(&count);
        return 0;
    }
    if (pthread_create(&thread, NULL, make_pairs, &count) != 0)
        return 1;
    pthread_join(thread, NULL);
    return 0;
}
