/* test_line_reader.c - lines of files and pipes, plain and packed. */
#include <errno.h>

#include "log_tmp.h"
#include "logs/line_reader.h"

static struct line_reader *open_reader(const char *path)
{
    struct line_reader *reader;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(line_reader_new(fd, false, 0, &reader), 0);
    return reader;
}

static void assert_line(struct line_reader *reader, const char *text, int64_t offset_bytes)
{
    struct log_line line;

    assert_int_equal(line_reader_next(reader, &line), 1);
    assert_slice(line.text, text);
    assert_int_equal(line.offset_bytes, offset_bytes);
    assert_false(line.cut);
}

static void assert_end(struct line_reader *reader)
{
    struct log_line line;

    assert_int_equal(line_reader_next(reader, &line), 0);
    line_reader_free(reader);
}

static void test_lines_end_at_newlines_and_the_last_one_at_the_end(void **state)
{
    struct log_tmp *tmp = *state;
    struct line_reader *reader;

    log_tmp_text(tmp->path, "w", "one\r\n\ntwo\nthree");
    reader = open_reader(tmp->path);
    assert_line(reader, "one", 0);
    assert_line(reader, "", 5);
    assert_line(reader, "two", 6);
    assert_line(reader, "three", 10);
    assert_end(reader);
}

static void test_an_empty_file_has_no_lines(void **state)
{
    struct log_tmp *tmp = *state;

    log_tmp_text(tmp->path, "w", "");
    assert_end(open_reader(tmp->path));
}

static void test_a_line_of_64_kib_is_whole_and_a_longer_one_is_cut_once(void **state)
{
    enum { BYTES = 3 * LOG_LINE_MAX_BYTES + 17 };
    struct log_tmp *tmp = *state;
    struct line_reader *reader;
    struct log_line line;
    char *big = malloc(BYTES);

    memset(big, 'x', BYTES);
    big[65536] = '\n';
    big[BYTES - 1] = '\n';
    log_tmp_write(tmp->path, "w", big, BYTES);
    log_tmp_text(tmp->path, "a", "after\n");
    reader = open_reader(tmp->path);
    assert_int_equal(line_reader_next(reader, &line), 1);
    assert_int_equal(line.text.len_bytes, 65536);
    assert_false(line.cut);
    assert_int_equal(line_reader_next(reader, &line), 1);
    assert_int_equal(line.text.len_bytes, LOG_LINE_MAX_BYTES);
    assert_int_equal(line.offset_bytes, 65537);
    assert_true(line.cut);
    assert_line(reader, "after", BYTES);
    assert_end(reader);
    free(big);
}

static void test_gzip_of_several_members_is_one_text(void **state)
{
    struct log_tmp *tmp = *state;
    struct line_reader *reader;

    log_tmp_gzip(tmp->path, "wb", "one\ntw", 6);
    log_tmp_gzip(tmp->path, "ab", "o\nthree\n", 8);
    log_tmp_write(tmp->path, "a", "\0\0\0\0", 4); /* padding, as on tapes */
    reader = open_reader(tmp->path);
    assert_line(reader, "one", 0);
    assert_line(reader, "two", 4);
    assert_line(reader, "three", 8);
    assert_end(reader);
}

static void test_gzip_larger_than_any_buffer_keeps_offsets(void **state)
{
    enum { LINES = 60000 };
    struct log_tmp *tmp = *state;
    struct line_reader *reader;
    gzFile file = gzopen(tmp->path, "wb");
    char text[32];

    for (int i = 0; i < LINES; i++)
        gzprintf(file, "line %07d of many\n", i);
    assert_int_equal(gzclose(file), Z_OK);
    reader = open_reader(tmp->path);
    for (int i = 0; i < LINES; i++) {
        snprintf(text, sizeof text, "line %07d of many", i);
        assert_line(reader, text, (int64_t) i * 21);
    }
    assert_end(reader);
}

static void test_gzip_that_is_cut_gives_its_lines_and_then_the_error(void **state)
{
    enum { BYTES = 200000 };
    struct log_tmp *tmp = *state;
    struct line_reader *reader;
    struct log_line line;
    char *text = malloc(BYTES);
    int64_t lines = 0;
    struct stat st;
    int r;

    for (int i = 0; i < BYTES; i++)
        text[i] = (char) (i % 20 == 19 ? '\n' : 'a' + rand() % 26);
    log_tmp_gzip(tmp->path, "wb", text, BYTES);
    assert_int_equal(stat(tmp->path, &st), 0);
    assert_int_equal(truncate(tmp->path, st.st_size / 2), 0);
    reader = open_reader(tmp->path);
    while ((r = line_reader_next(reader, &line)) > 0)
        lines++;
    assert_int_equal(r, -EBADMSG);
    while (line_reader_next(reader, &line) > 0)
        lines++;
    assert_in_range(lines, 3000, 7000);
    assert_end(reader);
    free(text);
}

static void test_files_packed_by_others_are_refused_by_name(void **state)
{
    struct log_tmp *tmp = *state;
    struct line_reader *reader;
    struct log_line line;

    log_tmp_write(tmp->path, "w", "\x28\xb5\x2f\xfd\x04\x00\x00", 7);
    reader = open_reader(tmp->path);
    assert_int_equal(line_reader_next(reader, &line), -ENOTSUP);
    line_reader_free(reader);
}

static void test_a_pipe_that_gives_single_bytes_is_read(void **state)
{
    static const char text[] = "\x1f"
                               "not gzip\nb\n";
    struct line_reader *reader;
    int fds[2];

    (void) state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], text, sizeof text - 1), sizeof text - 1);
    close(fds[1]);
    assert_int_equal(line_reader_new(fds[0], false, 0, &reader), 0);
    assert_line(reader,
                "\x1f"
                "not gzip",
                0);
    assert_line(reader, "b", 10);
    assert_end(reader);
}

static void test_a_growing_file_gives_a_line_when_its_end_is_there(void **state)
{
    struct log_tmp *tmp = *state;
    struct line_reader *reader;
    struct log_line line;

    log_tmp_text(tmp->path, "w", "skipped\none\ntw");
    int fd = open(tmp->path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(lseek(fd, 8, SEEK_SET), 8);
    assert_int_equal(line_reader_new(fd, true, 8, &reader), 0);
    assert_line(reader, "one", 8);
    assert_int_equal(line_reader_next(reader, &line), 0);
    assert_int_equal(line_reader_offset(reader), 12);
    log_tmp_text(tmp->path, "a", "o\n");
    assert_line(reader, "two", 12);
    assert_end(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        log_tmp_test(test_lines_end_at_newlines_and_the_last_one_at_the_end),
        log_tmp_test(test_an_empty_file_has_no_lines),
        log_tmp_test(test_a_line_of_64_kib_is_whole_and_a_longer_one_is_cut_once),
        log_tmp_test(test_gzip_of_several_members_is_one_text),
        log_tmp_test(test_gzip_larger_than_any_buffer_keeps_offsets),
        log_tmp_test(test_gzip_that_is_cut_gives_its_lines_and_then_the_error),
        log_tmp_test(test_files_packed_by_others_are_refused_by_name),
        log_tmp_test(test_a_pipe_that_gives_single_bytes_is_read),
        log_tmp_test(test_a_growing_file_gives_a_line_when_its_end_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
