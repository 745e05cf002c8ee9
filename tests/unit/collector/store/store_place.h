/*
 * store_place.h - a directory with a store in it, events to put there, and what came out.
 *
 * Made by setup() for each test and removed by teardown().
 */
#ifndef FPMSCOPE_TESTS_STORE_PLACE_H
#define FPMSCOPE_TESTS_STORE_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store/store.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define HAS(key)   (UINT64_C(1) << EVENT_HAS_##key)

static const int64_t t0 = INT64_C(1795325922000000);
static const int64_t day_us = INT64_C(86400) * 1000000;

struct place {
    char directory[64];
};

static inline int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    snprintf(place->directory, sizeof place->directory, "/tmp/fpmscope-store.XXXXXX");
    *state = place;
    return mkdtemp(place->directory) ? 0 : -1;
}

static inline int teardown(void **state)
{
    struct place *place = *state;
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", place->directory);
    int r = system(command);
    free(place);
    return r;
}

static inline struct store *open_store(const char *directory, unsigned flags,
                                       const struct store_limits *limits)
{
    struct store_message message;
    struct store *store = NULL;
    int r = store_open(directory, flags, limits, &store, &message);

    if (r < 0)
        print_error("%s\n", message.text);
    assert_int_equal(r, 0);
    return store;
}

static inline struct event request(int64_t ts_us, int64_t pid, int64_t seq, const char *uri)
{
    return (struct event){
        .kind = EVENT_req,
        .has = HAS(ts_us) | HAS(pid) | HAS(seq) | HAS(uri) | HAS(live0_bytes),
        .ts_us = ts_us,
        .pid = pid,
        .seq = seq,
        .uri = slice_of(uri),
        .live0_bytes = -5,
    };
}

static inline struct event simple(enum event_kind kind, int64_t ts_us, int64_t pid)
{
    return (struct event){.kind = kind, .has = HAS(ts_us) | HAS(pid), .ts_us = ts_us, .pid = pid};
}

/* What a walk saw, as text: "req:1 end:2 ...". */
struct seen {
    char text[4096];
    size_t len;
    int count;
    uint64_t has;
    int64_t live0_bytes, ts_us;
    char uri[64];
};

static inline int note(void *ctx, const struct event *event)
{
    static const char *const names[] = {
#define EVENT_KIND(name, doc) #name,
#include "model/events.def"
    };
    struct seen *seen = ctx;
    int64_t number = event->kind == EVENT_stk || event->kind == EVENT_smp ? event->id : event->pid;

    seen->count++;
    if (seen->len < sizeof seen->text - 32)
        seen->len += (size_t) snprintf(seen->text + seen->len, sizeof seen->text - seen->len,
                                       "%s:%lld ", names[event->kind], (long long) number);
    seen->has = event->has;
    seen->live0_bytes = event->live0_bytes;
    seen->ts_us = event->ts_us;
    snprintf(seen->uri, sizeof seen->uri, "%.*s", (int) event->uri.len_bytes,
             event->uri.len_bytes > 0 ? event->uri.ptr : "");
    return 0;
}

static inline void read_all(struct store *store, const struct store_query *query, struct seen *seen)
{
    *seen = (struct seen){0};
    assert_int_equal(store_each_event(store, query, note, seen), 0);
}

#endif
