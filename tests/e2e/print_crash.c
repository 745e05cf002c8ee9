/*
 * print_crash.c - print the crash report of a recorder page as JSON, for end-to-end tests that
 * look at a page without a collector.
 *
 *     print_crash PAGE [MAPS]      MAPS: the worker's /proc/PID/maps from when it lived
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ingest/crash_report.h"

static json_t *list(const struct slice *items, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_stringn_nocheck(items[i].ptr, items[i].len_bytes));
    return array;
}

static json_t *text(struct slice slice)
{
    return json_stringn_nocheck(slice.ptr ? slice.ptr : "", slice.len_bytes);
}

static void print(const struct crash_report *report)
{
    json_t *object = json_object();

    json_object_set_new(object, "signo", json_integer(report->signo));
    json_object_set_new(object, "code", json_integer(report->code));
    json_object_set_new(object, "sender", json_integer(report->sender));
    json_object_set_new(object, "seq", json_integer((json_int_t) report->seq));
    json_object_set_new(object, "address", json_integer((json_int_t) report->address));
    json_object_set_new(object, "in_request", json_boolean(report->in_request));
    json_object_set_new(object, "response_sent", json_boolean(report->response_sent));
    json_object_set_new(object, "complete", json_boolean(report->complete));
    json_object_set_new(object, "stack_overflow", json_boolean(report->stack_overflow));
    json_object_set_new(object, "faulting", text(report->faulting));
    json_object_set_new(object, "library", text(report->shared_object));
    json_object_set_new(object, "php", list(report->php, report->php_count));
    json_object_set_new(object, "native", list(report->native, report->native_count));
    json_dumpf(object, stdout, JSON_INDENT(1));
    json_decref(object);
}

static int read_page(const char *path, struct recorder_page *page)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t got = fd >= 0 ? pread(fd, page, sizeof *page, 0) : -1;

    if (fd >= 0)
        close(fd);
    return got == (ssize_t) sizeof *page ? 0 : -EIO;
}

static struct code_map *read_map(const char *path)
{
    static char text[1 << 20];
    struct code_map *map = NULL;
    FILE *file = fopen(path, "r");

    if (file) {
        const size_t len = fread(text, 1, sizeof text, file);

        code_map_parse((struct slice){.ptr = text, .len_bytes = len}, &map);
        fclose(file);
    }
    return map;
}

int main(int argc, char **argv)
{
    struct recorder_page *page = calloc(1, sizeof *page);
    struct code_map *map = argc == 3 ? read_map(argv[2]) : NULL;
    struct crash_report *report = NULL;
    int r = page && argc >= 2 ? read_page(argv[1], page) : -EINVAL;

    if (r == 0)
        r = crash_report_make(page, sizeof *page, map, &report);
    if (r == 0)
        print(report);
    else
        fprintf(stderr, "print_crash: %s\n", strerror(-r));
    crash_report_free(report);
    code_map_free(map);
    free(page);
    return r == 0 ? 0 : 1;
}
