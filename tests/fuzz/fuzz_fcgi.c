/*
 * fuzz_fcgi.c - both directions of a connection, as steps:  operation  length  bytes .
 *
 * Whatever comes, texts keep to their arrays; and the same bytes one at a time mean the same.
 */
#include <string.h>

#include "request/tracker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { STEP_READ, STEP_WRITE, STEP_CLOSE, STEP_FINISH, STEP_CONNECT, STEP_COUNT };

static struct param_table table;

struct side {
    struct recorder_request slot;
    struct tracker tracker;
    unsigned begins, answers;
};

static void check(const struct recorder_request *request)
{
#define RECORDER_TEXT(field, bytes)                                                                \
    if (request->field##_len_bytes > (bytes))                                                      \
        __builtin_trap();
    RECORDER_REQUEST_TEXTS(RECORDER_TEXT)
#undef RECORDER_TEXT
}

static void step(struct side *side, unsigned operation, const uint8_t *bytes, size_t len)
{
    switch (operation) {
    case STEP_READ:
        side->begins += tracker_read(&side->tracker, bytes, len);
        break;
    case STEP_WRITE:
        side->answers += tracker_wrote(&side->tracker, bytes, len);
        break;
    case STEP_CLOSE:
        tracker_close(&side->tracker);
        break;
    case STEP_FINISH:
        if (tracker_in_request(&side->tracker))
            tracker_finish(&side->tracker, &side->slot);
        break;
    default:
        tracker_connect(&side->tracker, &side->slot);
    }
    check(&side->slot);
}

static void begin(struct side *side)
{
    memset(side, 0, sizeof *side);
    side->tracker.params_wanted = &table;
    tracker_connect(&side->tracker, &side->slot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct side whole, single;

    param_table_init(&table, "REQUEST_ID,HTTP_X_REQUEST_ID");
    begin(&whole);
    begin(&single);
    while (len >= 2) {
        unsigned operation = data[0] % STEP_COUNT;
        size_t part = data[1] < len - 2 ? data[1] : len - 2;

        step(&whole, operation, data + 2, part);
        if (operation > STEP_WRITE)
            step(&single, operation, data + 2, part);
        for (size_t i = 0; operation <= STEP_WRITE && i < part; i++)
            step(&single, operation, data + 2 + i, 1);
        data += 2 + part;
        len -= 2 + part;
    }
    /* php-fpm's own pages are recognised within one write only. */
    single.slot.flags = whole.slot.flags;
    if (whole.begins != single.begins || whole.answers != single.answers ||
        memcmp(&whole.slot, &single.slot, sizeof whole.slot) != 0)
        __builtin_trap();
    return 0;
}
