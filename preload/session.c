/* session.c - see session.h. */
#include "session.h"

#include <string.h>

#include "base/text.h"
#include "fpmscope/wire_codec.h"
#include "banned.h"

void session_start(struct session *session, const char *socket_path, uint32_t uid)
{
    const bool has_met = session->link.has_met;

    link_close(&session->link);
    link_init(&session->link, socket_path, uid);
    session->link.has_met = has_met;
    batch_init(&session->batch, &session->link);
    session->introduced = false;
    session->note_count = 0;
}

void session_abandon(struct session *session)
{
    link_close(&session->link);
    session->link.has_met = false;
    batch_init(&session->batch, &session->link);
    session->introduced = false;
}

void session_connect(struct session *session)
{
    link_connect(&session->link);
}

static struct wire_note session_note_message(const struct session_note *note)
{
    return (struct wire_note){
        .code = note->code,
        .detail = {note->detail, (uint16_t) strlen(note->detail)},
    };
}

/* A packet of its own: in the batch another one may wait, for after it. */
static void session_say_hello(struct session *session)
{
    uint8_t packet[SESSION_HELLO_MAX_BYTES];
    size_t len =
        wire_encode(&wire_messages[WIRE_INDEX_HELLO], &session->hello, packet, sizeof packet);

    for (size_t i = 0; i < session->note_count; i++) {
        const struct wire_note note = session_note_message(&session->notes[i]);

        len +=
            wire_encode(&wire_messages[WIRE_INDEX_NOTE], &note, packet + len, sizeof packet - len);
    }
    link_send(&session->link, packet, len);
    batch_flush(&session->batch);
}

void session_introduce(struct session *session, const struct wire_hello *hello)
{
    session->hello = *hello;
    session->introduced = true;
    if (session->link.fd >= 0)
        session_say_hello(session);
}

void session_revive(struct session *session, int64_t now_us)
{
    if (!link_reconnect(&session->link, now_us))
        return;
    session->batch.lost_at++;
    if (session->introduced)
        session_say_hello(session);
}

void session_say(struct session *session, size_t index, const void *message, int64_t now_us)
{
    session_revive(session, now_us);
    batch_add(&session->batch, index, message);
    batch_flush(&session->batch);
    session_revive(session, now_us);
}

void session_note(struct session *session, uint16_t code, const char *detail)
{
    struct session_note *note = &session->notes[session->note_count];
    struct text text;

    for (size_t i = 0; i < session->note_count; i++)
        if (session->notes[i].code == code)
            return;
    if (session->note_count == SESSION_NOTES_MAX)
        return;
    note->code = code;
    text = text_begin(note->detail, sizeof note->detail);
    text_add(&text, detail);
    session->note_count++;
    if (session->introduced && session->link.fd >= 0) {
        const struct wire_note message = session_note_message(note);

        batch_add(&session->batch, WIRE_INDEX_NOTE, &message);
    }
}
