/*
 * bench_leak.c - how many `req` lines a second are read, parsed and analyzed, on one core; and what
 * ten million of them need in memory.
 *
 *   bench_leak [LINES]     default 2000000; writes a trace to a temporary file first
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "analyze/leak/leak.h"
#include "model/event_read.h"

enum { WORKERS = 16, ROUTES = 60, LIFE = 500 };

static double cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static uint32_t next_random(uint32_t *state, uint32_t limit)
{
    *state = *state * 1664525u + 1013904223u;
    return (uint32_t) ((uint64_t) *state * limit >> 32);
}

/* A pool with jitter and one leak of 700 bytes, every line as `export` writes it. */
static void write_trace(FILE *out, uint64_t lines)
{
    int64_t live[WORKERS] = {0}, seq[WORKERS] = {0}, pid[WORKERS] = {0}, next_pid = 1000;
    uint32_t random = 1;

    fputs("{\"e\":\"hdr\",\"v\":1,\"trace\":\"bench\",\"interval\":65536,\"max_requests\":500}\n",
          out);
    for (uint64_t i = 0; i < lines; i++) {
        const uint32_t w = next_random(&random, WORKERS), route = next_random(&random, ROUTES);
        int64_t delta = route == 3 ? 700 : 0;

        if (pid[w] == 0) {
            pid[w] = next_pid++;
            seq[w] = 0;
            live[w] = 2000000;
        }
        if (next_random(&random, 100) < 6)
            delta += (int64_t) next_random(&random, 20001) - 10000;
        fprintf(out,
                "{\"e\":\"req\",\"ts\":%" PRIu64 ",\"pid\":%" PRId64 ",\"seq\":%" PRId64
                ",\"uri\":\"/shop/page/%" PRIu32 "\",\"dur\":35000,\"st\":200,\"l0\":%" PRId64
                ",\"l1\":%" PRId64 ",\"rss0\":26560,\"rss1\":26300,\"zp\":11008,\"mm0\":8192,"
                "\"mm1\":8192,\"ab\":3648,\"ns\":57}\n",
                i * 1000, pid[w], ++seq[w], route, live[w], live[w] + delta);
        live[w] += delta;
        if (seq[w] == LIFE) {
            fprintf(out, "{\"e\":\"end\",\"pid\":%" PRId64 "}\n", pid[w]);
            pid[w] = 0;
        }
    }
}

/* Read `path`, analyzing or not; returns CPU seconds. */
static double run(const char *path, struct leak_analyzer *analyzer)
{
    struct event_reader *reader;
    const double start = cpu_seconds();
    struct event event;

    if (event_reader_open(path, &reader) < 0)
        exit(1);
    while (event_reader_next(reader, &event) == 1)
        if (analyzer)
            leak_feed(analyzer, &event);
    event_reader_close(reader);
    return cpu_seconds() - start;
}

int main(int argc, char **argv)
{
    const uint64_t lines = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000000;
    char path[] = "/tmp/bench_leak.XXXXXX";
    struct leak_analyzer *analyzer = leak_analyzer_new(NULL);
    FILE *out = fdopen(mkstemp(path), "w");
    struct rusage usage;
    double read_only, all;

    if (!out || !analyzer)
        return 1;
    write_trace(out, lines);
    fclose(out);
    read_only = run(path, NULL);
    all = run(path, analyzer);
    unlink(path);
    getrusage(RUSAGE_SELF, &usage);
    printf("leak: %" PRIu64
           " req lines: read %.0f/s, read and analyzed %.0f/s; analyzer %zu bytes, "
           "peak RSS %ld KiB\n",
           lines, (double) lines / read_only, (double) lines / all, leak_analyzer_bytes(analyzer),
           usage.ru_maxrss);
    leak_analyzer_free(analyzer);
    return 0;
}
