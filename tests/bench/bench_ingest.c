/*
 * bench_ingest.c - how fast the collector takes what workers send: packets decoded, turned into
 * events, committed to a store on disk.  One process, one core.
 *
 *   build/release/tests/bench/bench_ingest [DIRECTORY]    default: a temporary one in $TMPDIR or
 * /tmp
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fpmscope/wire_codec.h"
#include "ingest/ingest.h"
#include "store/store.h"
#include "bench/bench_request.h"

enum {
    SAMPLES = 1000000,
    SAMPLES_PER_PACKET = 50,
    REQUESTS = 200000,
    WORKERS = 200,
    FLUSH_ROWS = 50000, /* what 100 ms hold at half a million a second */
};

struct bench {
    struct store *store;
    struct ingest *ingest;
    uint8_t packet[WIRE_PACKET_MAX_BYTES];
    size_t length;
    int64_t now_us;
};

static double cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int64_t wall_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void add(struct bench *bench, size_t index, const void *message)
{
    bench->length += wire_encode(&wire_messages[index], message, bench->packet + bench->length,
                                 sizeof bench->packet - bench->length);
}

static void send_as(struct bench *bench, int worker)
{
    const struct ingest_sender sender = {.pid = 4000000 + worker, .parent = 1, .start_ticks = 7};

    ingest_packet(bench->ingest, &sender, bench->packet, bench->length, bench->now_us);
    bench->length = 0;
    bench->now_us += 100;
    if (store_pending_rows(bench->store) >= FLUSH_ROWS && store_flush(bench->store) < 0)
        exit(1);
}

static void run_samples(struct bench *bench)
{
    for (uint64_t i = 0; i < SAMPLES; i++) {
        const struct wire_sample sample = {
            .seq = i / 20, .id = i, .size_bytes = 640, .interval_bytes = 65536, .stack = 1};

        add(bench, WIRE_INDEX_SAMPLE, &sample);
        if (i % SAMPLES_PER_PACKET == SAMPLES_PER_PACKET - 1)
            send_as(bench, (int) (i / SAMPLES_PER_PACKET % WORKERS));
    }
}

static void run_requests(struct bench *bench)
{
    for (uint64_t i = 0; i < REQUESTS; i++) {
        const int64_t end_us = bench->now_us - REQUESTS + (int64_t) i;
        struct wire_request request = bench_request(i / WORKERS + 1);

        request.begin_us = end_us - 500;
        request.response_us = end_us - 10;
        request.end_us = end_us;
        request.live_before_bytes = 3813624;
        request.live_after_bytes = 3813624;

        add(bench, WIRE_INDEX_REQUEST, &request);
        send_as(bench, (int) (i % WORKERS));
    }
}

static void measure(struct bench *bench, const char *what, double count,
                    void (*run)(struct bench *))
{
    const double cpu = cpu_seconds();
    const int64_t wall = wall_us();

    run(bench);
    if (store_flush(bench->store) < 0)
        exit(1);
    const double seconds = cpu_seconds() - cpu, waited = (double) (wall_us() - wall) / 1e6;
    printf("%-10s %10.0f /s of CPU   %6.2f us each   %10.0f /s of time\n", what, count / seconds,
           1e6 * seconds / count, count / waited);
}

int main(int argc, char **argv)
{
    const char *where = getenv("TMPDIR");
    struct bench bench = {.now_us = wall_us()};
    struct store_message message;
    char directory[256], command[300];

    snprintf(directory, sizeof directory, "%s/fpmscope-bench.XXXXXX",
             argc > 1          ? argv[1]
             : where && *where ? where
                               : "/tmp");
    if (!mkdtemp(directory) ||
        store_open(directory, STORE_WRITE, &(struct store_limits){.queue_bytes = 64 << 20},
                   &bench.store, &message) < 0 ||
        ingest_new(bench.store, &(struct ingest_policy){0}, &bench.ingest) < 0)
        return 1;
    for (int worker = 0; worker < WORKERS; worker++) {
        const struct wire_hello hello = {.version = WIRE_VERSION, .role = WIRE_ROLE_WORKER};
        const struct wire_stack stack = {
            .id = 1, .php = bench_text("save\tDOMDocument\t\nrun\tA\\B\t/a.php:7")};

        add(&bench, WIRE_INDEX_HELLO, &hello);
        add(&bench, WIRE_INDEX_STACK, &stack);
        send_as(&bench, worker);
    }
    measure(&bench, "samples", SAMPLES, run_samples);
    measure(&bench, "requests", REQUESTS, run_requests);
    struct store_info info;
    if (store_inspect(bench.store, &info) == 0)
        printf("%-10s %10.1f MiB\n", "store", (double) info.bytes / 1048576);
    ingest_free(bench.ingest);
    store_free(bench.store);
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    return system(command) == 0 ? 0 : 1;
}
