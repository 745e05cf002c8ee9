/*
 * stacks.c - stacks of allocations: PHP frames as they came, native ones named.
 *
 * A stack's id is a hash of its PHP frames and of the places (library + offset) of its native
 * ones, so that it is the same in every worker and before and after naming.  It is stored at once
 * with places, and again with names when the child that reads symbols has answered.
 */
#include <errno.h>
#include <stdlib.h>

#include <xxhash.h>

#include "ingest/ingest_internal.h"
#include "ingest/native_carriers.h"
#include "ingest/native_frame.h"
#include "ingest/native_names.h"
#include "model/event_set.h"

enum {
    UNNAMED_MAX = 4096, /* stacks that wait for names; further ones keep their places */
    PCS_MAX = LIMIT_NATIVE_FRAMES,
};

struct unnamed {
    struct worker_key worker;
    int64_t id;
    uint64_t pcs[PCS_MAX];
    size_t pc_count;
    struct unnamed *next;
    size_t php_len_bytes;
    char php[];
};

struct ingest_stacks {
    struct native_names *names;
    struct unnamed *unnamed;
    size_t unnamed_count;
    void *watch; /* on the child's answer */
};

/* One stack's native frames as text. */
struct named {
    struct event_list frames;
    struct slice module;
    char texts[PCS_MAX][NATIVE_NAME_BYTES];
    bool is_final;
};

int ingest_stacks_new(struct ingest_stacks **ret_stacks)
{
    struct ingest_stacks *stacks = calloc(1, sizeof *stacks);
    int r = stacks ? native_names_new(&stacks->names) : -ENOMEM;

    if (r < 0) {
        free(stacks);
        return r;
    }
    *ret_stacks = stacks;
    return 0;
}

void ingest_stacks_free(struct ingest_stacks *stacks)
{
    if (!stacks)
        return;
    while (stacks->unnamed) {
        struct unnamed *next = stacks->unnamed->next;

        free(stacks->unnamed);
        stacks->unnamed = next;
    }
    native_names_free(stacks->names);
    free(stacks);
}

struct event_list ingest_frames_of(struct slice php)
{
    struct event_list frames = {0};

    while (php.len_bytes > 0 && frames.count < EVENT_FRAMES_MAX) {
        ptrdiff_t end = slice_index(php, '\n');
        struct slice line = slice_head(php, end < 0 ? php.len_bytes : (size_t) end);

        if (line.len_bytes > 0)
            frames.items[frames.count++] = slice_head(line, LIMIT_FRAME_BYTES);
        php = slice_skip(php, line.len_bytes + 1);
    }
    return frames;
}

static uint64_t hash_lines(uint64_t hash, const struct event_list *frames)
{
    for (size_t i = 0; i < frames->count; i++)
        hash = XXH3_64bits_withSeed(frames->items[i].ptr, frames->items[i].len_bytes, hash + 1);
    return hash;
}

static int64_t keep_stack(struct ingest *ingest, int64_t id, const struct event_list *php,
                          const struct event_list *native, struct slice module)
{
    struct event event = {.kind = EVENT_stk};

    event_set_id(&event, id);
    event_set_mod(&event, module);
    event_set_nat(&event, native);
    event_set_php(&event, php);
    ingest_store(ingest, &event);
    return id;
}

int64_t ingest_hash_frames(const struct event_list *php, const struct event_list *native)
{
    uint64_t hash = hash_lines(0, php);

    if (native)
        hash = hash_lines(hash + native->count, native);
    return ingest_number(hash);
}

int64_t ingest_store_stack(struct ingest *ingest, struct slice php, const struct event_list *native,
                           struct slice module)
{
    const struct event_list frames = ingest_frames_of(php);

    if (frames.count == 0 && (!native || native->count == 0))
        return 0;
    return keep_stack(ingest, ingest_hash_frames(&frames, native), &frames, native, module);
}

/* ---- native frames ---------------------------------------------------------------------------
 */

static size_t counters_of(struct slice bytes, uint64_t pcs[PCS_MAX])
{
    size_t count = bytes.len_bytes / sizeof *pcs;

    if (count > PCS_MAX)
        count = PCS_MAX;
    if (count > 0)
        memcpy(pcs, bytes.ptr, count * sizeof *pcs);
    return count;
}

/* A place is the same in all workers, whatever address the library has. */
static uint64_t hash_places(uint64_t hash, const struct code_map *map, const uint64_t *pcs,
                            size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct native_frame frame = native_frame_guess(map, pcs[i]);

        hash = XXH3_64bits_withSeed(&frame.offset, sizeof frame.offset, hash + 1);
        hash = XXH3_64bits_withSeed(frame.shared_object.ptr, frame.shared_object.len_bytes, hash);
    }
    return hash;
}

static struct slice library_of(const struct code_map *map, uint64_t pc)
{
    return native_frame_guess(map, pc > 0 ? pc - 1 : pc).shared_object;
}

/* The engine allocates on behalf of extensions (__zend_malloc): it is named when nobody else is. */
static bool is_engine(struct slice library)
{
    return slice_starts(library, SLICE("php-fpm"));
}

static void name_frames(struct native_names *names, const struct code_map *map, const uint64_t *pcs,
                        size_t count, struct named *ret_named)
{
    ret_named->frames.count = 0;
    ret_named->module = SLICE("");
    ret_named->is_final = true;
    for (size_t i = 0; i < count; i++) {
        const struct slice library = library_of(map, pcs[i]);

        ret_named->is_final &=
            native_names_text(names, map, pcs[i], ret_named->texts[i], NATIVE_NAME_BYTES);
        ret_named->frames.items[ret_named->frames.count++] = slice_of(ret_named->texts[i]);
        if (native_is_carrier(library))
            continue;
        if (ret_named->module.len_bytes == 0 || is_engine(ret_named->module))
            ret_named->module = library;
    }
    if (ret_named->module.len_bytes == 0 && count > 0)
        ret_named->module = library_of(map, pcs[0]);
}

static void keep_unnamed(struct ingest_stacks *stacks, const struct unnamed *head, struct slice php)
{
    struct unnamed *unnamed;

    if (stacks->unnamed_count >= UNNAMED_MAX)
        return;
    unnamed = malloc(sizeof *unnamed + php.len_bytes);
    if (!unnamed)
        return;
    *unnamed = *head;
    unnamed->php_len_bytes = php.len_bytes;
    if (php.len_bytes > 0)
        memcpy(unnamed->php, php.ptr, php.len_bytes);
    unnamed->next = stacks->unnamed;
    stacks->unnamed = unnamed;
    stacks->unnamed_count++;
}

/* The map of the worker, read again when it has loaded something since. */
static const struct code_map *map_of(struct ingest *ingest, struct worker *worker,
                                     const uint64_t *pcs, size_t count)
{
    bool all_known = worker->map != NULL;

    for (size_t i = 0; all_known && i < count; i++)
        all_known = code_map_find(worker->map, pcs[i]) != NULL;
    if (all_known || ingest->now_us < worker->map_read_us + 1000000)
        return worker->map;
    struct code_map *map = NULL;
    worker->map_read_us = ingest->now_us;
    if (code_map_read((pid_t) worker->key.pid, &map) == 0) {
        code_map_free(worker->map);
        worker->map = map;
    }
    return worker->map;
}

int64_t ingest_take_stack(struct ingest *ingest, struct worker *worker, struct slice php,
                          struct slice native)
{
    const struct event_list frames = ingest_frames_of(php);
    struct unnamed head = {.worker = worker->key};
    struct named named;

    head.pc_count = counters_of(native, head.pcs);
    if (head.pc_count == 0)
        return ingest_store_stack(ingest, php, NULL, SLICE(""));
    const struct code_map *map = map_of(ingest, worker, head.pcs, head.pc_count);
    if (!map)
        return ingest_store_stack(ingest, php, NULL, SLICE(""));
    head.id = ingest_number(hash_places(hash_lines(0, &frames), map, head.pcs, head.pc_count));
    name_frames(ingest->stacks->names, map, head.pcs, head.pc_count, &named);
    if (!named.is_final)
        keep_unnamed(ingest->stacks, &head, php);
    return keep_stack(ingest, head.id, &frames, &named.frames, named.module);
}

static void rename_one(struct ingest *ingest, const struct unnamed *unnamed)
{
    const struct worker *worker =
        worker_find(&ingest->workers, (pid_t) unnamed->worker.pid, unnamed->worker.start_ticks);
    const struct event_list frames =
        ingest_frames_of((struct slice){unnamed->php, unnamed->php_len_bytes});
    struct named named;

    /* Dead and forgotten meanwhile: its places stay. */
    if (!worker || !worker->map)
        return;
    name_frames(ingest->stacks->names, worker->map, unnamed->pcs, unnamed->pc_count, &named);
    keep_stack(ingest, unnamed->id, &frames, &named.frames, named.module);
}

static void on_named(void *ctx)
{
    struct ingest *ingest = ctx;
    struct ingest_stacks *stacks = ingest->stacks;

    if (native_names_read(stacks->names) == 1)
        return;
    if (stacks->watch)
        ingest->policy.unwatch(ingest->policy.ctx, stacks->watch);
    stacks->watch = NULL;
    struct unnamed *unnamed = stacks->unnamed;
    stacks->unnamed = NULL;
    stacks->unnamed_count = 0;
    while (unnamed) {
        struct unnamed *next = unnamed->next;

        rename_one(ingest, unnamed);
        free(unnamed);
        unnamed = next;
    }
}

void ingest_name_stacks(struct ingest *ingest)
{
    struct ingest_stacks *stacks = ingest->stacks;

    if (!stacks->unnamed || stacks->watch || !ingest->policy.watch)
        return;
    int r = native_names_start(stacks->names);
    if (r == 1)
        stacks->watch = ingest->policy.watch(ingest->policy.ctx, native_names_fd(stacks->names),
                                             on_named, ingest);
    else if (r == 0)
        on_named(ingest);
}
