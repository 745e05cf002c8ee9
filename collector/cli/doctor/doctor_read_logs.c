/* doctor_read_logs.c - the logs that configurations name: there, readable, of a known format? */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyze/doctor/doctor_proc.h"
#include "cli/doctor/doctor_readers.h"
#include "logs/access_format.h"
#include "logs/line_reader.h"
#include "logs/log_configs.h"
#include "logs/log_decoder.h"

enum { LINES_TRIED_MAX = 500 };

static int on_event(void *ctx, const struct log_event *event)
{
    (void) ctx;
    (void) event;
    return 0;
}

/* The title of the format that explains its first lines, NULL: none does. */
static const char *recognise(struct line_reader *reader, const struct log_options *options)
{
    struct log_report report;
    struct log_decoder *decoder;
    struct log_line line;

    log_report_init(&report);
    if (log_decoder_new(options, 0, options->reference_us, false, &decoder, &report) < 0)
        return NULL;
    for (int i = 0; i < LINES_TRIED_MAX && report.format == LOG_FORMAT_UNKNOWN &&
                    line_reader_next(reader, &line) == 1;
         i++)
        (void) log_decoder_line(decoder, &line, on_event, NULL, &report);
    log_decoder_free(decoder);
    return report.format == LOG_FORMAT_UNKNOWN ? NULL : log_format_title(report.format);
}

static const char *usable(const char *log_format)
{
    return log_format && !access_format_problem(log_format) ? log_format : NULL;
}

static void look_at(struct doctor_log *log)
{
    struct stat status;
    struct line_reader *reader;
    int fd = open(log->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0) {
        log->missing = errno == ENOENT;
        log->problem = log->missing ? "does not exist" : strerror(errno);
        return;
    }
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        log->problem = S_ISDIR(status.st_mode) ? "is a directory" : "is not a file";
        close(fd);
        return;
    }
    log->empty = status.st_size == 0;
    if (line_reader_new(fd, false, 0, &reader) < 0)
        return;
    log->format = recognise(reader, &(struct log_options){
                                        .reference_us = (int64_t) status.st_mtime * 1000000,
                                        .access_format = usable(log->log_format),
                                    });
    line_reader_free(reader);
}

static bool is_known(const struct doctor_host *host, struct slice path)
{
    for (size_t i = 0; i < host->logs.count; i++)
        if (slice_equal(slice_of(((struct doctor_log *) array_at(&host->logs, i))->path), path))
            return true;
    return false;
}

static void add_log(void *ctx, struct slice path, const char *log_format)
{
    struct doctor_reading *reading = ctx;
    const char *copy;
    struct doctor_log *log;

    if (path.len_bytes == 0 || is_known(reading->host, path) || slice_starts(path, SLICE("/dev/")))
        return;
    copy = doctor_host_text(reading->host, path);
    log = copy ? array_add(&reading->host->logs) : NULL;
    if (!log)
        return;
    *log = (struct doctor_log){.path = copy};
    if (log_format)
        log->log_format = doctor_host_text(reading->host, slice_of(log_format));
    look_at(log);
}

void doctor_read_logs(struct doctor_reading *reading)
{
    struct slice paths = {.ptr = reading->fpm_logs, .len_bytes = reading->fpm_logs_bytes};
    struct slice path;

    log_config_nginx(reading->nginx_text, add_log, reading);
    for (size_t i = 0; i < reading->request->logs_count; i++)
        add_log(reading, slice_of(reading->request->logs[i]), NULL);
    while (doctor_next_line(&paths, &path))
        add_log(reading, path, NULL);
}
