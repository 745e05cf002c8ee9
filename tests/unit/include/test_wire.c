/* test_wire.c - every message of wire.def survives a round trip and rejects truncation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fpmscope/wire_codec.h"

enum { MSG_MAX_BYTES = sizeof(union wire_any) };

/* Give each field a value of its own; strings borrow from `text`. */
static void fill(const struct wire_message *desc, char *msg)
{
    static const char text[] = "/var/www/index.php, and longer than the widest message";

    for (size_t i = 0; i < desc->field_count; i++) {
        const struct wire_field *f = &desc->fields[i];

        if (f->kind == WIRE_str)
            *(wire_str *) (void *) (msg + f->offset_bytes) =
                (wire_str){.ptr = text, .len_bytes = (uint16_t) (i + 1)};
        else
            memset(msg + f->offset_bytes, (int) (0x11 * (i + 1)), wire_kind_bytes(f->kind));
    }
}

static void assert_same(const struct wire_message *desc, const char *want, const char *got)
{
    for (size_t i = 0; i < desc->field_count; i++) {
        const struct wire_field *f = &desc->fields[i];
        const void *a = want + f->offset_bytes, *b = got + f->offset_bytes;

        if (f->kind == WIRE_str) {
            const wire_str *s = a, *t = b;

            assert_int_equal(s->len_bytes, t->len_bytes);
            assert_memory_equal(s->ptr, t->ptr, s->len_bytes);
        } else {
            assert_memory_equal(a, b, wire_kind_bytes(f->kind));
        }
    }
}

static void test_every_message_round_trips(void **state)
{
    (void) state;
    for (size_t i = 0; i < WIRE_MESSAGE_COUNT; i++) {
        const struct wire_message *desc = &wire_messages[i];
        _Alignas(16) char want[MSG_MAX_BYTES] = {0}, got[MSG_MAX_BYTES];
        uint8_t packet[WIRE_PACKET_MAX_BYTES];

        assert_true(desc->struct_bytes <= sizeof want);
        fill(desc, want);
        size_t len = wire_encode(desc, want, packet, sizeof packet);
        assert_true(len > WIRE_HEADER_BYTES);
        assert_true(wire_decode(desc, packet, len, got));
        assert_same(desc, want, got);
    }
}

/* What is copied at once must be what the fields say one by one. */
static void test_the_messages_of_every_request_are_flat(void **state)
{
    const size_t often[] = {WIRE_INDEX_REQUEST, WIRE_INDEX_SAMPLE, WIRE_INDEX_STACK};

    (void) state;
    for (size_t i = 0; i < sizeof often / sizeof *often; i++) {
        const struct wire_message *desc = &wire_messages[often[i]];
        size_t bytes = 0;

        assert_true(desc->flat_fields > 0);
        for (size_t f = 0; f < desc->flat_fields; f++) {
            assert_int_equal(desc->fields[f].offset_bytes, bytes);
            bytes += wire_kind_bytes(desc->fields[f].kind);
        }
        assert_int_equal(desc->flat_bytes, bytes);
    }
    assert_int_equal(wire_messages[WIRE_INDEX_CRASH].flat_bytes, 0); /* has a hole */
}

static void test_every_truncation_is_rejected(void **state)
{
    (void) state;
    for (size_t i = 0; i < WIRE_MESSAGE_COUNT; i++) {
        const struct wire_message *desc = &wire_messages[i];
        _Alignas(16) char msg[MSG_MAX_BYTES] = {0}, got[MSG_MAX_BYTES];
        uint8_t packet[WIRE_PACKET_MAX_BYTES], small[WIRE_PACKET_MAX_BYTES];

        fill(desc, msg);
        size_t len = wire_encode(desc, msg, packet, sizeof packet);
        for (size_t cut = 0; cut < len; cut++) {
            assert_false(wire_decode(desc, packet, cut, got));
            assert_int_equal(wire_encode(desc, msg, small, cut), 0);
        }
    }
}

static void test_a_packet_of_several_messages_is_walked_to_its_end(void **state)
{
    const struct wire_fork fork_msg = {.time_us = 1, .child = 7};
    const struct wire_reap reap_msg = {.time_us = -2, .child = 7, .status = 11};
    const struct wire_message *desc;
    const uint8_t *msg;
    uint8_t packet[128];
    size_t len, pos = 0, msg_len;
    union wire_any any;

    (void) state;
    len = wire_encode(&wire_messages[WIRE_INDEX_FORK], &fork_msg, packet, sizeof packet);
    len +=
        wire_encode(&wire_messages[WIRE_INDEX_REAP], &reap_msg, packet + len, sizeof packet - len);
    assert_true(wire_next(packet, len, &pos, &desc, &msg, &msg_len));
    assert_int_equal(desc->id, WIRE_FORK);
    assert_true(wire_next(packet, len, &pos, &desc, &msg, &msg_len));
    assert_true(wire_decode(desc, msg, msg_len, &any));
    assert_int_equal(any.reap.time_us, -2);
    assert_false(wire_next(packet, len, &pos, &desc, &msg, &msg_len));
    assert_int_equal(pos, len);
}

static void test_bytes_that_are_no_message_end_the_walk_before_the_packet(void **state)
{
    const uint8_t short_total[] = {8, 0, 3, 0}, long_total[] = {8, 0, 200, 0, 1};
    const struct wire_message *desc;
    const uint8_t *msg;
    size_t pos = 0, msg_len;

    (void) state;
    assert_false(wire_next(short_total, sizeof short_total, &pos, &desc, &msg, &msg_len));
    assert_false(wire_next(long_total, sizeof long_total, &pos, &desc, &msg, &msg_len));
    assert_int_equal(pos, 0);
}

static void test_ids_are_unique(void **state)
{
    (void) state;
    for (size_t i = 0; i < WIRE_MESSAGE_COUNT; i++)
        assert_ptr_equal(wire_message_by_id(wire_messages[i].id), &wire_messages[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_message_round_trips),
        cmocka_unit_test(test_the_messages_of_every_request_are_flat),
        cmocka_unit_test(test_every_truncation_is_rejected),
        cmocka_unit_test(test_a_packet_of_several_messages_is_walked_to_its_end),
        cmocka_unit_test(test_bytes_that_are_no_message_end_the_walk_before_the_packet),
        cmocka_unit_test(test_ids_are_unique),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
