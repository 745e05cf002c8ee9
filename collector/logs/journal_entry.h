/*
 * journal_entry.h - one entry of systemd's journal -> one line as `journalctl -o short-unix` prints
 * it, which system_log_parse() reads like any other.
 *
 * An entry is a set of fields that three sources give in their own ways (libsystemd, `-o export`,
 * `-o json`); they fill this struct and nothing else.  Texts borrow from the source.
 */
#ifndef FPMSCOPE_LOGS_JOURNAL_ENTRY_H
#define FPMSCOPE_LOGS_JOURNAL_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct journal_entry {
    int64_t time_us; /* when journald received it; -1: not said */
    struct slice message, identifier, comm, transport, host, pid, uid;
};

/* Nothing but a time that is not known. */
void journal_entry_init(struct journal_entry *entry);

/* One field by its name in the journal; names that say nothing here are ignored. */
void journal_entry_set(struct journal_entry *entry, struct slice name, struct slice value);

/*
 * Who wrote it, for system_log_parse(): "kernel" only when the kernel did (any program may call
 * itself so), "systemd" only when root did.  Empty: nobody whose words count.
 */
struct slice journal_entry_program(const struct journal_entry *entry);

/*
 * "SECONDS.MICROSECONDS HOST PROGRAM[PID]: MESSAGE" in `buffer`; control characters (a message may
 * have several lines) become blanks, what does not fit is cut off.  Empty when the entry has no
 * time, no message or no program that counts.
 */
struct slice journal_entry_line(const struct journal_entry *entry, char *buffer, size_t size_bytes);

#endif
