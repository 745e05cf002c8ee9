/*
 * bench_alloc.c - what a malloc()/free() pair costs with the shim, over the same without.
 *
 *     bench_alloc LIBRARY [ROUNDS [BASE]]     BASE: an allocator to compare with, not glibc
 *
 * Runs itself again and again, in turns with LIBRARY and with BASE or nothing as LD_PRELOAD, under
 * a name that the shim takes for php-fpm, and prints the best and the median of each: on a noisy
 * machine only what was measured in turns can be compared.
 */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAIRS = 20000, STRETCHES = 100, LIVE = 1024, ROUNDS_MAX = 200 };

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec * 1e9 + (double) now.tv_nsec;
}

/* One size, freed at once: all in the thread cache. */
static void hot_pairs(void)
{
    for (int i = 0; i < PAIRS; i++) {
        void *volatile ptr = malloc(64);

        free(ptr);
    }
}

/* Many sizes, freed in random order. */
static void random_pairs(void)
{
    static void *live[LIVE];
    static uint32_t x = 12345;

    for (int i = 0; i < PAIRS; i++) {
        x = x * 1664525 + 1013904223;
        free(live[x >> 22]);
        live[x >> 22] = malloc(16 + (x >> 8) % 1000);
    }
}

/* Of the best stretch: a millisecond or less, so that some are never interrupted. */
static double best_pair_ns(void (*make_pairs)(void))
{
    double best = 1e9;

    for (int i = 0; i < STRETCHES; i++) {
        double begin = now_ns(), pair_ns;

        make_pairs();
        pair_ns = (now_ns() - begin) / PAIRS;
        if (pair_ns < best)
            best = pair_ns;
    }
    return best;
}

static int run_child(void)
{
    double hot = best_pair_ns(hot_pairs), random = best_pair_ns(random_pairs);

    printf("%.3f %.3f\n", hot, random);
    return 0;
}

static int measure(const char *program, const char *library, double *ret_hot, double *ret_random)
{
    char command[3 * PATH_MAX];
    FILE *out;
    int fields;

    snprintf(command, sizeof command, "%s%s '%s' --child", library ? "LD_PRELOAD=" : "",
             library ? library : "", program);
    out = popen(command, "r");
    if (!out)
        return -1;
    fields = fscanf(out, "%lf %lf", ret_hot, ret_random);
    return pclose(out) == 0 && fields == 2 ? 0 : -1;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}

static void print_row(const char *name, double *plain, double *shim, int rounds)
{
    qsort(plain, (size_t) rounds, sizeof *plain, by_value);
    qsort(shim, (size_t) rounds, sizeof *shim, by_value);
    printf("%-12s plain %6.2f / %6.2f   shim %6.2f / %6.2f   more %+5.2f / %+5.2f ns a pair\n",
           name, plain[0], plain[rounds / 2], shim[0], shim[rounds / 2], shim[0] - plain[0],
           shim[rounds / 2] - plain[rounds / 2]);
}

static int compare(const char *program, const char *library, const char *base, int rounds)
{
    static double hot[2][ROUNDS_MAX], random[2][ROUNDS_MAX];

    for (int i = 0; i < rounds; i++)
        for (int with = 0; with < 2; with++)
            if (measure(program, with ? library : base, &hot[with][i], &random[with][i]) < 0) {
                fprintf(stderr, "bench_alloc: cannot run '%s'\n", program);
                return 1;
            }
    printf("%d rounds in turns, best / median\n", rounds);
    print_row("hot", hot[0], hot[1], rounds);
    print_row("random-1024", random[0], random[1], rounds);
    return 0;
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/fpmscope-bench-XXXXXX", program[PATH_MAX], command[2 * PATH_MAX];
    int rounds = argc > 2 ? atoi(argv[2]) : 12, status;

    if (argc > 1 && strcmp(argv[1], "--child") == 0)
        return run_child();
    if (argc < 2 || rounds < 1 || rounds > ROUNDS_MAX || !mkdtemp(dir)) {
        fprintf(stderr, "usage: bench_alloc LIBRARY [ROUNDS [BASE]]\n");
        return 2;
    }
    snprintf(program, sizeof program, "%s/php-fpm-bench", dir);
    snprintf(command, sizeof command, "cp '/proc/%d/exe' '%s'", (int) getpid(), program);
    status =
        system(command) == 0 ? compare(program, argv[1], argc > 3 ? argv[3] : NULL, rounds) : 1;
    unlink(program);
    rmdir(dir);
    return status;
}
