/* doctor_read_kernel.c - can the kernel's log be read, and does it tell of OOM kills. */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "analyze/doctor/doctor_proc.h"
#include "cli/doctor/doctor_readers.h"
#include "cli/input/small_file.h"
#include "logs/journal.h"
#include "logs/log_decoder.h"

enum {
    TAIL_BYTES = 4 << 20,
    RING_MAX_BYTES = 16 << 20,
    KLOG_READ_ALL = 3, /* syslog(2) */
    KLOG_SIZE = 10,
};

/* Older kills are history. */
static const int64_t recent_us = INT64_C(14) * 86400 * 1000000;

static const char *const files[] = {"/var/log/kern.log", "/var/log/messages", "/var/log/syslog"};

struct oom_search {
    struct doctor_host *host;
    int64_t now_us, uptime_us;
    char last[384];
    int64_t lines, php_lines;
};

static int on_event(void *ctx, const struct log_event *event)
{
    struct oom_search *search = ctx;
    const struct log_kernel *kernel = &event->kernel;

    /* A line without a date counts from the start of the machine. */
    const int64_t now_us = kernel->uptime_clock ? search->uptime_us : search->now_us;

    if (event->kind != LOG_KERNEL || kernel->what != KERNEL_OOM_KILLED ||
        (event->time_us > 0 && now_us - event->time_us > recent_us))
        return 0;
    search->lines++;
    search->php_lines += slice_starts(kernel->comm, SLICE("php-fpm"));
    snprintf(search->last, sizeof search->last, "process %lld (%.*s)%s", (long long) kernel->pid,
             (int) (kernel->comm.len_bytes < 64 ? kernel->comm.len_bytes : 64), kernel->comm.ptr,
             kernel->constraint.len_bytes ? ", in a control group" : "");
    return 0;
}

static void decode(struct oom_search *search, struct slice text)
{
    struct log_decoder *decoder;
    struct log_report report;
    struct slice line;
    int64_t offset = 0;

    log_report_init(&report);
    if (log_decoder_new(NULL, 0, search->now_us, true, &decoder, &report) < 0)
        return;
    while (doctor_next_line(&text, &line)) {
        /* The ring buffer's own level: "<6>[  12.3] words". */
        const ptrdiff_t level = slice_starts(line, SLICE("<")) ? slice_index(line, '>') : -1;
        const struct log_line one = {
            .text = slice_head(slice_skip(line, (size_t) (level + 1)), LOG_LINE_MAX_BYTES),
            .offset_bytes = offset};

        offset += (int64_t) line.len_bytes + 1;
        (void) log_decoder_line(decoder, &one, on_event, search, &report);
    }
    (void) log_decoder_flush(decoder, on_event, search, &report);
    log_decoder_free(decoder);
}

/* The more telling of two sources: both may tell of the same kills. */
static void conclude(struct oom_search *search)
{
    struct doctor_kernel_log *kernel = &search->host->kernel;

    if (search->lines > kernel->oom_lines) {
        kernel->oom_lines = search->lines;
        kernel->php_oom_lines = search->php_lines;
        kernel->last_oom = doctor_host_text(search->host, slice_of(search->last));
    }
    search->lines = search->php_lines = 0;
}

static void note_unreadable(struct doctor_host *host, const char *path)
{
    struct stat status;
    const struct group *group;

    if (!path || stat(path, &status) < 0 || host->kernel.unreadable_path)
        return;
    host->kernel.unreadable_path = path;
    group = (status.st_mode & 040) ? getgrgid(status.st_gid) : NULL;
    if (group)
        host->kernel.unreadable_group = doctor_host_text(host, slice_of(group->gr_name));
}

/* Where the journal alone has what the kernel says. */
static void read_journal(struct oom_search *search)
{
    struct doctor_kernel_log *kernel = &search->host->kernel;
    const struct log_options options = {.since_us = search->now_us - recent_us};
    struct log_report report;
    char path[PATH_MAX];

    if (!journal_exists())
        return;
    if (journal_unreadable(path, sizeof path))
        note_unreadable(search->host, doctor_host_text(search->host, slice_of(path)));
    else if (log_source_read(JOURNAL_OF_HOST, 0, &options, on_event, search, &report) < 0)
        kernel->journal_problem = doctor_host_text(search->host, slice_of(report.message));
    else if (!kernel->readable_path)
        kernel->readable_path = "the journal";
    conclude(search);
}

static void read_ring(struct oom_search *search)
{
    const int size = klogctl(KLOG_SIZE, NULL, 0);
    char *text = size > 0 && size <= RING_MAX_BYTES ? malloc((size_t) size) : NULL;
    const int length = text ? klogctl(KLOG_READ_ALL, text, size) : -1;

    search->host->kernel.dmesg_readable = length >= 0;
    if (length > 0) {
        decode(search, (struct slice){.ptr = text, .len_bytes = (size_t) length});
        conclude(search);
    }
    free(text);
}

void doctor_read_kernel(struct doctor_reading *reading)
{
    struct oom_search search = {.host = reading->host};
    struct timespec now;
    struct slice text;

    clock_gettime(CLOCK_REALTIME, &now);
    search.now_us = (int64_t) now.tv_sec * 1000000;
    clock_gettime(CLOCK_BOOTTIME, &now);
    search.uptime_us = (int64_t) now.tv_sec * 1000000;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (small_file_read_tail(files[i], TAIL_BYTES, &text) < 0) {
            note_unreadable(reading->host, files[i]);
            continue;
        }
        if (!reading->host->kernel.readable_path)
            reading->host->kernel.readable_path = files[i];
        decode(&search, text);
        conclude(&search);
        small_file_free(&text);
    }
    if (!reading->host->kernel.readable_path)
        read_journal(&search);
    read_ring(&search);
}
