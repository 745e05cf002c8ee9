/* log_zone.c - a few lines of each log say in which zone the host lives. */
#include "logs/log_zone.h"

#include <string.h>
#include <sys/stat.h>

enum { PEEK_LINES = 50 };

static bool prints_host_zone(const struct log_report *report)
{
    switch (report->format) {
    case LOG_FORMAT_ACCESS_CUSTOM:
    case LOG_FORMAT_ACCESS_JSON:
    case LOG_FORMAT_ACCESS_COMBINED:
    case LOG_FORMAT_NCSA:
    case LOG_FORMAT_KERNEL:
        return report->zone_printed;
    default:
        return false;
    }
}

struct log_zone log_zone_of_files(const char *const *paths, size_t count,
                                  const struct log_options *options, struct log_zone otherwise)
{
    struct log_report report;
    struct stat st;

    for (size_t i = 0; i < count; i++) {
        if (stat(paths[i], &st) < 0 || !S_ISREG(st.st_mode))
            continue;
        if (log_source_peek(paths[i], PEEK_LINES, options, &report) >= 0 &&
            prints_host_zone(&report))
            return (struct log_zone){.offset_s = report.zone_offset_s};
    }
    return otherwise;
}
