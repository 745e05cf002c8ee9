/* records.c - where records of several lines begin and end. */
#include "logs/records.h"

#include "logs/scan.h"

static bool holds(struct slice text, struct slice part)
{
    return slice_find(text, part) >= 0;
}

static struct slice last_line(struct slice record)
{
    const char *newline = record.len_bytes ? memrchr(record.ptr, '\n', record.len_bytes) : NULL;

    return newline ? scan_between(newline + 1, record.ptr + record.len_bytes) : record;
}

/* "2026/11/22 05:38:44 [" */
bool nginx_error_starts(struct slice line)
{
    struct scan scan = scan_of(line);
    int number;

    return scan_digits(&scan, 4, &number) && scan_byte(&scan, '/') &&
           scan_digits(&scan, 2, &number) && scan_byte(&scan, '/') &&
           scan_digits(&scan, 2, &number) && scan_byte(&scan, ' ') && scan_left(&scan) > 9 &&
           scan.at[8] == ' ' && scan.at[9] == '[';
}

bool nginx_error_complete(struct slice record)
{
    return !holds(record, SLICE("FastCGI sent in stderr: ")) ||
           holds(last_line(record), SLICE(", client: "));
}

/* "[22-Nov-2026 05:39:20" */
static bool is_php_date(struct slice line)
{
    struct scan scan = scan_of(line);
    int number;

    return scan_byte(&scan, '[') && scan_digits(&scan, 2, &number) && scan_byte(&scan, '-') &&
           scan_left(&scan) > 16 && scan.at[3] == '-' && scan.at[8] == ' ' && scan.at[11] == ':';
}

bool php_error_starts(struct slice line)
{
    return is_php_date(line);
}

bool php_error_complete(struct slice record)
{
    struct scan scan = scan_of(slice_head(record, 256));

    return !scan_past(&scan, SLICE("] PHP ")) || !holds(scan_rest(&scan), SLICE("Uncaught ")) ||
           holds(record, SLICE("\n  thrown in "));
}

bool php_slow_starts(struct slice line)
{
    return is_php_date(line) && holds(slice_head(line, 64), SLICE("]  [pool "));
}

bool php_slow_complete(struct slice record)
{
    return last_line(record).len_bytes == 0 && slice_find(record, SLICE("\n[0x")) >= 0;
}

/* "*   << Request  >> 3", "**  << BeReq    >> 4", "*** ..." inside a session group */
bool varnishlog_starts(struct slice line)
{
    struct scan scan = scan_of(line);

    if (!scan_byte(&scan, '*'))
        return false;
    while (scan_byte(&scan, '*'))
        ;
    scan_blanks(&scan);
    return scan_text(&scan, SLICE("<< "));
}

bool varnishlog_complete(struct slice record)
{
    struct scan scan = scan_of(last_line(record));

    if (!scan_byte(&scan, '-'))
        return false;
    while (scan_byte(&scan, '-'))
        ;
    scan_blanks(&scan);
    return slice_equal(slice_trim(scan_rest(&scan)), SLICE("End"));
}

/* A stored record comes back as one piece, which has the panic inside. */
bool varnishd_starts(struct slice record)
{
    const ptrdiff_t newline = slice_index(record, '\n');
    const struct slice line = newline < 0 ? record : slice_head(record, (size_t) newline);

    return (slice_starts(line, SLICE("Error: ")) || slice_starts(line, SLICE("Info: ")) ||
            slice_starts(line, SLICE("Debug: ")) || slice_starts(line, SLICE("Child "))) &&
           !holds(line, SLICE(") Panic at: "));
}

bool varnishd_complete(struct slice record)
{
    return !holds(record, SLICE(") died ")) || holds(record, SLICE("\nversion = ")) ||
           holds(record, SLICE("\nBacktrace:"));
}
