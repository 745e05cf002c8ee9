/* test_fcgi_records.c - records come out whole, however the stream was chopped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fcgi_bytes.h"

static struct fcgi_stream stream;

static void begin_stream(void)
{
    stream.len = 0;
}

static void test_content_comes_out_and_padding_does_not(void **state)
{
    struct fcgi_records records = {0};
    struct fcgi_bytes bytes;
    struct fcgi_piece piece;

    (void) state;
    begin_stream();
    fcgi_put_record(&stream, FCGI_PARAMS, "abc", 3, 5);
    fcgi_put_record(&stream, FCGI_STDIN, "de", 2, 0);
    bytes = (struct fcgi_bytes){stream.bytes, stream.len};
    assert_true(fcgi_records_next(&records, &bytes, &piece));
    assert_int_equal(piece.type, FCGI_PARAMS);
    assert_memory_equal(piece.bytes, "abc", 3);
    assert_true(piece.offset_bytes == 0 && piece.last && piece.len_bytes == 3);
    assert_true(fcgi_records_next(&records, &bytes, &piece));
    assert_int_equal(piece.type, FCGI_STDIN);
    assert_memory_equal(piece.bytes, "de", 2);
    assert_false(fcgi_records_next(&records, &bytes, &piece));
}

static void test_an_empty_record_is_one_piece_without_bytes(void **state)
{
    struct fcgi_records records = {0};
    struct fcgi_bytes bytes;
    struct fcgi_piece piece;

    (void) state;
    begin_stream();
    fcgi_put_record(&stream, FCGI_PARAMS, NULL, 0, 7);
    bytes = (struct fcgi_bytes){stream.bytes, stream.len};
    assert_true(fcgi_records_next(&records, &bytes, &piece));
    assert_true(piece.offset_bytes == 0 && piece.last && piece.len_bytes == 0 &&
                piece.content_bytes == 0);
    assert_false(fcgi_records_next(&records, &bytes, &piece));
}

/* Feed in steps of `step` bytes and put the content back together. */
static size_t reassemble(size_t step, uint8_t *out)
{
    struct fcgi_records records = {0};
    struct fcgi_piece piece;
    size_t len = 0;

    for (size_t at = 0; at < stream.len; at += step) {
        size_t part = stream.len - at < step ? stream.len - at : step;
        struct fcgi_bytes bytes = {stream.bytes + at, part};

        while (fcgi_records_next(&records, &bytes, &piece)) {
            memcpy(out + len, piece.bytes, piece.len_bytes);
            len += piece.len_bytes;
        }
    }
    return len;
}

static void test_any_chopping_gives_the_same_content(void **state)
{
    uint8_t out[64];

    (void) state;
    begin_stream();
    fcgi_put_record(&stream, FCGI_STDOUT, "hello, ", 7, 9);
    fcgi_put_record(&stream, FCGI_STDOUT, NULL, 0, 3);
    fcgi_put_record(&stream, FCGI_STDOUT, "world", 5, 255);
    for (size_t step = 1; step <= stream.len; step++) {
        assert_int_equal(reassemble(step, out), 12);
        assert_memory_equal(out, "hello, world", 12);
    }
}

static void test_another_version_breaks_the_stream_for_good(void **state)
{
    struct fcgi_records records = {0};
    struct fcgi_bytes bytes = {(const uint8_t *) "GET / HTTP/1.1\r\n", 16};
    struct fcgi_piece piece;

    (void) state;
    assert_false(fcgi_records_next(&records, &bytes, &piece));
    assert_true(records.broken);
    begin_stream();
    fcgi_put_record(&stream, FCGI_STDIN, "x", 1, 0);
    bytes = (struct fcgi_bytes){stream.bytes, stream.len};
    assert_false(fcgi_records_next(&records, &bytes, &piece));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content_comes_out_and_padding_does_not),
        cmocka_unit_test(test_an_empty_record_is_one_piece_without_bytes),
        cmocka_unit_test(test_any_chopping_gives_the_same_content),
        cmocka_unit_test(test_another_version_breaks_the_stream_for_good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
