/* native_names.c - what is known, what is asked for, and the child that is asked. */
#include "ingest/native_names.h"

#include <errno.h>
#include <stdlib.h>

#include "base/idmap.h"
#include "base/intern.h"
#include "base/text_out.h"
#include "ingest/native_batch.h"
#include "ingest/native_frame.h"
#include "ingest/native_namer.h"
#include "ingest/reader_child.h"

enum { TEXTS_MAX_BYTES = 8 << 20, ASKED = UINT32_MAX };

struct native_names {
    struct idmap known; /* place -> text_id, or ASKED */
    struct intern texts;
    struct native_batch *next;  /* being gathered */
    struct native_batch *asked; /* with the child */
    struct reader_child child;
};

int native_names_new(struct native_names **ret_names)
{
    struct native_names *names = calloc(1, sizeof *names);

    if (!names)
        return -ENOMEM;
    names->child.fd = -1;
    idmap_init(&names->known, NATIVE_NAMES_CACHED_MAX);
    intern_init(&names->texts, TEXTS_MAX_BYTES);
    names->next = native_batch_new();
    names->asked = native_batch_new();
    if (!names->next || !names->asked) {
        native_names_free(names);
        return -ENOMEM;
    }
    *ret_names = names;
    return 0;
}

void native_names_free(struct native_names *names)
{
    if (!names)
        return;
    reader_child_release(&names->child);
    native_batch_free(names->next);
    native_batch_free(names->asked);
    idmap_release(&names->known);
    intern_release(&names->texts);
    free(names);
}

static uint64_t key_of(const struct code_row *row, uint64_t file_offset)
{
    const uint64_t device = (uint64_t) row->device_major << 32 | row->device_minor;

    return idmap_mix(file_offset + idmap_mix(row->inode + idmap_mix(device)) +
                     intern_hash(slice_of(row->path)));
}

/* A full cache forgets everything but what is asked for. */
static void forget_all(struct native_names *names)
{
    idmap_release(&names->known);
    intern_release(&names->texts);
    idmap_init(&names->known, NATIVE_NAMES_CACHED_MAX);
    intern_init(&names->texts, TEXTS_MAX_BYTES);
    for (size_t i = 0; i < names->asked->count; i++)
        idmap_put(&names->known, names->asked->keys[i], ASKED);
    for (size_t i = 0; i < names->next->count; i++)
        idmap_put(&names->known, names->next->keys[i], ASKED);
}

static void ask(struct native_names *names, uint64_t key, const struct code_row *row,
                uint64_t file_offset)
{
    if (names->known.count >= NATIVE_NAMES_CACHED_MAX - 1)
        forget_all(names);
    if (native_batch_add(names->next, key, row, file_offset))
        idmap_put(&names->known, key, ASKED);
}

bool native_names_text(struct native_names *names, const struct code_map *map, uint64_t pc,
                       char *ret_text, size_t size_bytes)
{
    const uint64_t call = pc > 0 ? pc - 1 : pc;
    const struct code_row *row = code_map_find(map, call);
    const struct native_frame guess = native_frame_guess(map, call);
    struct text_out out = text_out_into(ret_text, size_bytes);
    uint32_t id = ASKED;
    uint64_t key;

    if (!row || row->path[0] != '/' || row->deleted) {
        native_frame_place(&guess, &out);
        return true;
    }
    key = key_of(row, guess.offset);
    if (!idmap_get(&names->known, key, &id))
        ask(names, key, row, guess.offset);
    if (id == ASKED) {
        native_frame_place(&guess, &out);
        return false;
    }
    text_out_add(&out, intern_text(&names->texts, id));
    return true;
}

int native_names_start(struct native_names *names)
{
    struct native_batch *batch = names->next;
    struct code_map map = native_batch_map(batch);
    const struct native_namer_list list = {.map = &map, .pcs = batch->pcs, .count = batch->count};
    int r;

    if (names->child.pid > 0)
        return 1;
    if (batch->count == 0)
        return 0;
    reader_child_release(&names->child); /* the last one, which nobody watches any more */
    r = reader_child_start(&names->child, native_namer_name, &list);
    if (r < 0)
        return r;
    names->next = names->asked;
    names->asked = batch;
    return 1;
}

int native_names_fd(const struct native_names *names)
{
    return names->child.fd;
}

/* What the child did not say is final all the same: asking again would end alike. */
static struct native_frame answer_for(const struct code_map *map, uint64_t pc, struct slice *answer)
{
    const ptrdiff_t end = slice_index(*answer, '\n');
    struct native_frame frame;

    if (end >= 0) {
        const struct slice line = slice_head(*answer, (size_t) end);

        *answer = slice_skip(*answer, (size_t) end + 1);
        if (native_frame_parse(line, &frame))
            return frame;
    }
    *answer = SLICE("");
    return native_frame_guess(map, pc);
}

static void keep_answers(struct native_names *names, struct slice answer)
{
    struct native_batch *batch = names->asked;
    const struct code_map map = native_batch_map(batch);

    for (size_t i = 0; i < batch->count; i++) {
        const struct native_frame frame = answer_for(&map, batch->pcs[i], &answer);
        char buffer[NATIVE_NAME_BYTES];
        struct text_out out = text_out_into(buffer, sizeof buffer);
        text_id id;

        native_frame_text(&frame, &out);
        id = intern_put(&names->texts, text_out_slice(&out));
        if (id != 0)
            idmap_put(&names->known, batch->keys[i], id);
        else
            idmap_remove(&names->known, batch->keys[i]);
    }
    native_batch_clear(batch);
}

int native_names_read(struct native_names *names)
{
    if (names->child.pid <= 0)
        return 0;
    if (reader_child_read(&names->child) == 1)
        return 1;
    keep_answers(names, reader_child_answer(&names->child));
    return 0;
}
