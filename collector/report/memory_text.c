/* memory_text.c - see memory_text.h. */
#include "report/memory_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/text_out.h"
#include "report/human.h"
#include "report/json_text.h"

/* Smaller parts are noise in a sentence about megabytes. */
enum { PART_MIN_BYTES = 256 * 1024, PHRASE_BYTES = 512 };

static const struct {
    const char *name, *words;
    size_t offset_bytes;
} parts[] = {
#define MEMORY_PART(field, words)                                                                  \
    {#field "_bytes", words, offsetof(struct memory_parts, field##_bytes)},
#include "analyze/summary/memory_parts.def"
};
enum { PARTS = sizeof parts / sizeof *parts };

static int64_t part_bytes(const struct memory_parts *memory, size_t part)
{
    return *(const int64_t *) ((const char *) memory + parts[part].offset_bytes);
}

static void add(struct text_out *out, const char *text)
{
    text_out_add(out, slice_of(text));
}

static void add_parts(struct text_out *out, const struct summary_memory *memory)
{
    char bytes[HUMAN_BYTES];
    const char *between = " = ";

    for (size_t i = 0; i < PARTS; i++) {
        if (part_bytes(&memory->parts, i) < PART_MIN_BYTES)
            continue;
        add(out, between);
        add(out, human_bytes((double) part_bytes(&memory->parts, i), bytes, sizeof bytes));
        add(out, " ");
        add(out, parts[i].words);
        between = " + ";
    }
}

static void add_finding(struct text_out *out, const struct summary_memory *memory)
{
    char phrase[PHRASE_BYTES], trim[HUMAN_BYTES], pool[HUMAN_BYTES];

    snprintf(phrase, sizeof phrase,
             "; malloc_trim() would give back %s of this worker, %s in %" PRIu64 " of %" PRIu64
             " workers",
             human_bytes((double) memory->parts.trim_bytes, trim, sizeof trim),
             human_bytes((double) memory->pool_trim_bytes, pool, sizeof pool),
             memory->fragmented_workers, memory->workers);
    add(out, phrase);
}

const char *memory_sentence(const struct summary_memory *memory, char *buf, size_t cap)
{
    struct text_out out = text_out_into(buf, cap);
    char phrase[PHRASE_BYTES], rss[HUMAN_BYTES];

    snprintf(phrase, sizeof phrase, "worker %" PRId64 " after %" PRIu64 " request%s: %s",
             memory->pid, memory->requests, human_plural(memory->requests),
             human_bytes((double) memory->rss_bytes, rss, sizeof rss));
    add(&out, phrase);
    add_parts(&out, memory);
    if (memory->fragmented)
        add_finding(&out, memory);
    return buf;
}

const char *memory_advice(const struct summary_memory *memory)
{
    return memory->fragmented
               ? "not a leak: the allocator keeps memory that was freed, because live blocks lie "
                 "between; fpmscope run --allocator=jemalloc shows what another allocator would "
                 "keep, and pm.max_requests caps it"
               : "";
}

static const char *memory_verdict(const struct summary_memory *memory)
{
    return memory->fragmented ? "fragmentation" : "explained";
}

void memory_json_parts(json_t *row, const struct memory_parts *memory)
{
    for (size_t i = 0; i < PARTS; i++)
        json_object_set_new(row, parts[i].name, json_integer((json_int_t) part_bytes(memory, i)));
}

json_t *memory_json(const struct summary_memory *memory)
{
    char text[MEMORY_TEXT_BYTES];
    json_t *row = json_object();

    json_object_set_new(row, "pool", json_text(memory->pool));
    json_object_set_new(row, "verdict", json_string(memory_verdict(memory)));
    json_object_set_new(row, "pid", json_integer((json_int_t) memory->pid));
    json_object_set_new(row, "time_us", json_integer((json_int_t) memory->at_us));
    json_object_set_new(row, "requests", json_integer((json_int_t) memory->requests));
    json_object_set_new(row, "rss_bytes", json_integer((json_int_t) memory->rss_bytes));
    memory_json_parts(row, &memory->parts);
    json_object_set_new(row, "measured", json_boolean(memory->measured));
    json_object_set_new(row, "workers", json_integer((json_int_t) memory->workers));
    json_object_set_new(row, "fragmented_workers",
                        json_integer((json_int_t) memory->fragmented_workers));
    json_object_set_new(row, "pool_trim_bytes", json_integer((json_int_t) memory->pool_trim_bytes));
    json_object_set_new(row, "text",
                        json_text(slice_of(memory_sentence(memory, text, sizeof text))));
    json_object_set_new(row, "advice", json_string(memory_advice(memory)));
    return row;
}
