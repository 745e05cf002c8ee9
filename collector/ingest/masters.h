/*
 * masters.h - who may speak for others: the process that is php-fpm's master.
 *
 * A master is a process that says so, whose executable is php-fpm and which runs as root or as the
 * collector's own user.  It may report forks and ends of its own children only.
 */
#ifndef FPMSCOPE_INGEST_MASTERS_H
#define FPMSCOPE_INGEST_MASTERS_H

#include "fpmscope/wire.h"
#include "ingest/ingest_internal.h"

/* Look for a HELLO of a master in the packet and verify it, once. */
void master_note_packet(struct ingest *ingest, struct worker *worker,
                        const struct ingest_sender *sender, const void *packet, size_t len_bytes);

/* `time_us`: when its program began.  A reload is a second start of the same process. */
void master_on_hello(struct ingest *ingest, struct worker *worker, int64_t time_us);

/* A worker's first words: has its master told its end already? */
void master_note_child(struct ingest *ingest, struct worker *worker);

void master_on_fork(struct ingest *ingest, struct worker *worker, const union wire_any *any);
void master_on_reap(struct ingest *ingest, struct worker *worker, const union wire_any *any);

/* A worker is forgotten, a minute after its end: count an end of which its living master, who sees
 * each, has said nothing here.  What a full socket of a master drops is known by this only. */
void master_note_missed_exit(struct ingest *ingest, const struct worker *worker);

/* The process `pid` runs php-fpm as root or as the collector's user. */
bool master_is_genuine(const struct ingest *ingest, pid_t pid);

#endif
