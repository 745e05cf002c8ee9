/*
 * fuzz_ingest.c - any bytes as packets of a worker, and as its recorder page when it dies.
 *
 * The input is a sequence of  u16 length | bytes:  each a packet, the last also the page.  Whatever
 * it holds, the store stays readable and every event that comes back can be written as a line.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fpmscope/recorder.h"
#include "ingest/ingest.h"
#include "ingest/page.h"
#include "model/event_write.h"
#include "store/store.h"
#include "wire_mutator.h"

enum { PID = 4000001, START = 12345, RUNS_PER_STORE = 500 };
static const int64_t now_us = INT64_C(1795335264405824);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct bench {
    char directory[64], pages[96], page[128];
    struct store *store;
    int runs;
};

static void open_bench(struct bench *bench)
{
    struct store_message message;

    snprintf(bench->directory, sizeof bench->directory, "/dev/shm/fpmscope-fuzz.XXXXXX");
    if (!mkdtemp(bench->directory))
        abort();
    snprintf(bench->pages, sizeof bench->pages, "%s/pages", bench->directory);
    mkdir(bench->pages, 0700);
    snprintf(bench->page, sizeof bench->page, "%s/%d-%d", bench->pages, PID, START);
    if (store_open(bench->directory, STORE_WRITE, NULL, &bench->store, &message) < 0)
        abort();
}

static void close_bench(struct bench *bench)
{
    char command[96];

    store_free(bench->store);
    bench->store = NULL;
    snprintf(command, sizeof command, "rm -rf '%s'", bench->directory);
    if (system(command) != 0)
        abort();
}

static int write_line(void *ctx, const struct event *event)
{
    static char line[1 << 20];
    size_t length;

    (void) ctx;
    if (event_format(event, sizeof line, line, &length) < 0)
        abort();
    return 0;
}

static void put_outbox(struct recorder_outbox *outbox, const uint8_t *data, size_t len)
{
    const struct wire_packet message = {.generation = (uint32_t) len};
    const size_t head = wire_encode(&wire_messages[WIRE_INDEX_PACKET], &message, outbox->bytes,
                                    sizeof outbox->bytes);
    const size_t room = sizeof outbox->bytes - head, n = len < room ? len : room;

    memcpy(outbox->bytes + head, data, n);
    outbox->state =
        recorder_outbox_state(message.generation, (uint32_t) (n % 4 ? head + n : len << 9));
}

static void put_page(const struct bench *bench, const uint8_t *data, size_t len)
{
    static struct recorder_page page;
    FILE *file = fopen(bench->page, "w");

    /* The head is right, or nothing behind it would ever be looked at. */
    memset(&page, 0, sizeof page);
    memcpy(&page, data, len < sizeof page ? len : sizeof page);
    page.magic = RECORDER_MAGIC;
    page.version = RECORDER_VERSION;
    page.page_bytes = sizeof page;
    put_outbox(&page.outbox, data, len);
    page.crash.maps_len_bytes = 0; /* the unwinder's child has its own fuzzers */
    page.crash.ip = 0;
    const size_t bytes = len > offsetof(struct recorder_page, growths)
                             ? sizeof page
                             : offsetof(struct recorder_page, growths);
    if (!file || fwrite(&page, 1, bytes, file) != bytes)
        abort();
    fclose(file);
}

static void one_life(struct bench *bench, const uint8_t *data, size_t len)
{
    const struct ingest_policy policy = {.pages = {{.directory = bench->pages}}};
    const struct ingest_sender sender = {.pid = PID, .parent = 1, .start_ticks = START, .uid = 33};
    const uint8_t *last = data;
    struct ingest *ingest;
    uint16_t n = 0;

    if (ingest_new(bench->store, &policy, &ingest) < 0)
        abort();
    while (len >= sizeof n) {
        memcpy(&n, data, sizeof n);
        data += sizeof n;
        len -= sizeof n;
        if (n > len)
            n = (uint16_t) len;
        ingest_packet(ingest, &sender, data, n, now_us);
        last = data;
        data += n;
        len -= n;
    }
    put_page(bench, last, n);
    ingest_ended(ingest, PID, START, now_us);
    ingest_free(ingest);
}

/* A packet of whole messages more, at the end or in front, or the bytes as they come. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size_bytes, size_t max_bytes, unsigned seed)
{
    uint8_t packet[4096];
    uint16_t length;

    if (wire_random(&seed, 3) == 0)
        return LLVMFuzzerMutate(data, size_bytes, max_bytes);
    length = (uint16_t) wire_random_packet(packet, sizeof packet, &seed);
    if (length + sizeof length > max_bytes - size_bytes)
        return LLVMFuzzerMutate(data, size_bytes, max_bytes);
    const size_t at = wire_random(&seed, 4) == 0 ? 0 : size_bytes;
    memmove(data + at + sizeof length + length, data + at, size_bytes - at);
    memcpy(data + at, &length, sizeof length);
    memcpy(data + at + sizeof length, packet, length);
    return size_bytes + sizeof length + length;
}

static struct bench bench;

static void close_at_exit(void)
{
    if (bench.store)
        close_bench(&bench);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!bench.store)
        open_bench(&bench);
    one_life(&bench, data, len);
    if (bench.runs == 0)
        atexit(close_at_exit);
    if (++bench.runs % RUNS_PER_STORE == 0) {
        if (store_flush(bench.store) < 0 ||
            store_each_event(bench.store, &(struct store_query){0}, write_line, NULL) < 0)
            abort();
        close_bench(&bench);
    }
    return 0;
}
