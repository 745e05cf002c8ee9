/* session.c - see session.h. */
#include "session.h"

#include <string.h>

#include "base/text.h"
#include "banned.h"

void session_start(struct session *session, const char *socket_path, uint32_t uid)
{
    link_close(&session->link);
    link_init(&session->link, socket_path, uid);
    batch_init(&session->batch, &session->link);
    session->introduced = false;
    session->note_count = 0;
}

void session_abandon(struct session *session)
{
    link_close(&session->link);
    batch_init(&session->batch, &session->link);
    session->introduced = false;
}

void session_connect(struct session *session)
{
    link_connect(&session->link);
}

static void session_say_note(struct session *session, const struct session_note *note)
{
    const struct wire_note message = {
        .code = note->code,
        .detail = {note->detail, (uint16_t) strlen(note->detail)},
    };

    batch_add(&session->batch, WIRE_INDEX_NOTE, &message);
}

static void session_say_hello(struct session *session)
{
    batch_clear(&session->batch);
    batch_add(&session->batch, WIRE_INDEX_HELLO, &session->hello);
    for (size_t i = 0; i < session->note_count; i++)
        session_say_note(session, &session->notes[i]);
    batch_flush(&session->batch);
}

void session_introduce(struct session *session, const struct wire_hello *hello)
{
    session->hello = *hello;
    session->introduced = true;
    if (session->link.fd >= 0)
        session_say_hello(session);
}

bool session_revive(struct session *session, int64_t now_us)
{
    if (!link_reconnect(&session->link, now_us))
        return false;
    if (session->introduced)
        session_say_hello(session);
    return true;
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
    if (session->introduced)
        session_say_note(session, note);
}
