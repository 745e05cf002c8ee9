/*
 * session.h - what this process says to the collector: connection, HELLO, notes, packets.
 *
 * One per process; a fork child starts its own.
 */
#ifndef FPMSCOPE_SESSION_H
#define FPMSCOPE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "emit/batch.h"
#include "emit/link.h"
#include "fpmscope/wire.h"

enum { SESSION_NOTES_MAX = 12, SESSION_NOTE_BYTES = 96, SESSION_HELLO_MAX_BYTES = 4096 };

struct session_note {
    uint16_t code; /* enum wire_note_code */
    char detail[SESSION_NOTE_BYTES];
};

struct session {
    struct link link;
    struct batch batch;
    struct wire_hello hello; /* said at the start of every connection; strings borrowed */
    bool introduced;         /* `hello` is complete */
    size_t note_count;
    struct session_note notes[SESSION_NOTES_MAX]; /* said after it */
};

/* A new process: forget the parent's connection (its descriptor is closed, in this process only).
 */
void session_start(struct session *session, const char *socket_path, uint32_t uid);

/* In a fork child of a worker: nothing is said any more, and the outbox is the parent's. */
void session_abandon(struct session *session);

/* Connect by path.  Nothing is said before session_introduce(). */
void session_connect(struct session *session);

/* We know who we are: say it now, and again on every later connection. */
void session_introduce(struct session *session, const struct wire_hello *hello);

/* At a request boundary: try again when the connection is lost.  HELLO goes first over a new one,
 * then the packet that waits. */
void session_revive(struct session *session, int64_t now_us);

/* What must be told at once, by a new connection when the old one turns out to be gone. */
void session_say(struct session *session, size_t index, const void *message, int64_t now_us);

/* Something that could not be done here; each code is kept once. */
void session_note(struct session *session, uint16_t code, const char *detail);

#endif
