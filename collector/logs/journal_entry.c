/* journal_entry.c - fields in, one line out. */
#include "logs/journal_entry.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "base/text_out.h"
#include "logs/parsers.h"
#include "logs/scan.h"

enum { STAMP_BYTES = 40, NAME_MAX_BYTES = 64 };

static const struct {
    struct slice name;
    size_t offset_bytes; /* of the member */
} fields[] = {
#define JOURNAL_TEXT(journal_name, member)                                                         \
    {{journal_name, sizeof(journal_name) - 1}, offsetof(struct journal_entry, member)},
#include "logs/journal_fields.def"
#undef JOURNAL_TEXT
};

void journal_entry_init(struct journal_entry *entry)
{
    *entry = (struct journal_entry){.time_us = -1};
}

void journal_entry_set(struct journal_entry *entry, struct slice name, struct slice value)
{
    if (slice_equal(name, SLICE("__REALTIME_TIMESTAMP"))) {
        if (!scan_whole_int(value, &entry->time_us) || entry->time_us < 0)
            entry->time_us = -1;
        return;
    }
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (slice_equal(name, fields[i].name)) {
            *(struct slice *) ((char *) entry + fields[i].offset_bytes) = value;
            return;
        }
    }
}

struct slice journal_entry_program(const struct journal_entry *entry)
{
    const struct slice nobody = {0};
    const struct slice name = entry->identifier.len_bytes > 0 ? entry->identifier : entry->comm;

    if (slice_equal(entry->transport, SLICE("kernel")))
        return SLICE("kernel");
    if (slice_starts(name, SLICE("kernel")))
        return nobody;
    if (slice_starts(name, SLICE("systemd")) && !slice_equal(entry->uid, SLICE("0")))
        return nobody;
    return system_log_knows(name) ? name : nobody;
}

/* A word of the line's head: what would end it, or break the head, is left out. */
static void add_word(struct text_out *out, struct slice word)
{
    word = slice_head(word, NAME_MAX_BYTES);
    for (size_t i = 0; i < word.len_bytes; i++)
        if ((unsigned char) word.ptr[i] > ' ' && !strchr("[]:", word.ptr[i]))
            text_out_byte(out, word.ptr[i]);
}

static void add_message(struct text_out *out, struct slice message)
{
    const size_t room_bytes = out->size_bytes - out->len_bytes - 1;
    char *first = out->ptr + out->len_bytes;

    message = slice_head(slice_trim(message), room_bytes);
    text_out_add(out, message);
    for (size_t i = 0; i < message.len_bytes; i++)
        if ((unsigned char) first[i] < ' ' || first[i] == 0x7f)
            first[i] = ' ';
}

struct slice journal_entry_line(const struct journal_entry *entry, char *buffer, size_t size_bytes)
{
    const struct slice program = journal_entry_program(entry);
    struct text_out out = text_out_into(buffer, size_bytes);
    char stamp[STAMP_BYTES];

    if (entry->time_us < 0 || program.len_bytes == 0 || slice_trim(entry->message).len_bytes == 0)
        return text_out_slice(&out);
    snprintf(stamp, sizeof stamp, "%" PRId64 ".%06" PRId64 " ", entry->time_us / 1000000,
             entry->time_us % 1000000);
    text_out_add(&out, slice_of(stamp));
    if (entry->host.len_bytes > 0)
        add_word(&out, entry->host);
    else
        text_out_byte(&out, '-');
    text_out_byte(&out, ' ');
    add_word(&out, program);
    if (entry->pid.len_bytes > 0) {
        text_out_byte(&out, '[');
        add_word(&out, entry->pid);
        text_out_byte(&out, ']');
    }
    text_out_add(&out, SLICE(": "));
    add_message(&out, entry->message);
    return text_out_slice(&out);
}
