/*
 * bench_logs.c - access lines per second on one core: the parsers alone, and the reader with them.
 *
 *     build/release/tests/bench/bench_logs [SECONDS-PER-CASE]
 *
 * Lines are made up here, different in every field that varies in life.  "parser" is lines in
 * memory through the decoder; "reader" is a file on tmpfs or the page cache through
 * log_source_read().
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "logs/log_decoder.h"
#include "logs/log_source.h"

enum {
    LINES = 20000,
    LINE_BYTES = 1200,
};

#define AGENT                                                                                      \
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "            \
    "Chrome/126.0.0.0 Safari/537.36"

typedef int (*make_line)(char *out, size_t size, int i);

static int make_json(char *out, size_t size, int i)
{
    return snprintf(
        out, size,
        "{\"time\":\"2026-11-22T05:%02d:%02d+00:00\", \"remote_addr\":\"84.241.%d.%d\", "
        "\"remote_user\":\"\", \"host\":\"www.voorbeeldshop.nl\", \"request\":\"GET "
        "/heren/schoenen-%d.html?p=%d HTTP/1.1\", \"status\":\"%d\", "
        "\"body_bytes_sent\":\"%d\", \"referer\":\"\", \"user_agent\":\"" AGENT "\", "
        "\"request_time\":\"0.%03d\", \"handler\":\"phpfpm\", \"country\":\"NL\", "
        "\"server_name\":\"www.voorbeeldshop.nl\", \"port\":\"443\", "
        "\"ssl_cipher\":\"ECDHE-RSA-AES256-GCM-SHA384\", \"ssl_protocol\":\"TLSv1.2\"}\n",
        i / 60 % 60, i % 60, i % 250, i % 199, i, i % 9, i % 50 ? 200 : 502, 9000 + i, i % 1000);
}

static int make_combined(char *out, size_t size, int i)
{
    return snprintf(out, size,
                    "84.241.%d.%d - - [22/Nov/2026:05:%02d:%02d +0000] \"GET "
                    "/heren/schoenen-%d.html?p=%d HTTP/1.1\" %d %d \"-\" \"" AGENT "\"\n",
                    i % 250, i % 199, i / 60 % 60, i % 60, i, i % 9, i % 50 ? 200 : 502, 9000 + i);
}

static int make_ext(char *out, size_t size, int i)
{
    return snprintf(
        out, size,
        "{\"time\":\"2026-11-22T05:%02d:%02d+00:00\", \"msec\":\"17953259%02d.%03d\", "
        "\"request_id\":\"d945a2e3b2881e97b16c46ea%08x\", \"connection\":\"%d\", "
        "\"connection_requests\":\"1\", \"remote_addr\":\"84.241.%d.%d\", "
        "\"host\":\"www.voorbeeldshop.nl\", \"request\":\"GET /heren/schoenen-%d.html?p=2 "
        "HTTP/1.1\", \"uri\":\"/index.php\", \"status\":\"%d\", \"body_bytes_sent\":\"%d\", "
        "\"request_time\":\"0.%03d\", \"request_completion\":\"OK\", "
        "\"handler\":\"phpfpm\", \"port\":\"23081\", "
        "\"upstream_addr\":\"unix:/run/php/fpm.sock\", \"upstream_status\":\"200\", "
        "\"upstream_connect_time\":\"0.000\", \"upstream_header_time\":\"0.065\", "
        "\"upstream_response_time\":\"0.065\", \"upstream_bytes_received\":\"12968\", "
        "\"upstream_cache_status\":\"\", \"nginx_pid\":\"14495\", \"user_agent\":\"" AGENT "\"}\n",
        i / 60 % 60, i % 60, i % 100, i % 1000, (unsigned) i * 2654435761U, i, i % 250, i % 199, i,
        i % 50 ? 200 : 502, 9000 + i, i % 1000);
}

static int make_custom(char *out, size_t size, int i)
{
    return snprintf(
        out, size,
        "84.241.%d.%d [22/Nov/2026:05:%02d:%02d +0000] www.voorbeeldshop.nl \"GET "
        "/heren/schoenen-%d.html HTTP/1.1\" %d %d rt=0.%03d \"unix:/run/fpm.sock\" \"" AGENT "\"\n",
        i % 250, i % 199, i / 60 % 60, i % 60, i, i % 50 ? 200 : 502, 9000 + i, i % 1000);
}

static int make_error(char *out, size_t size, int i)
{
    return snprintf(
        out, size,
        "2026/11/22 05:%02d:%02d [error] 14494#14494: *%d recv() failed (104: Connection "
        "reset by peer) while reading response header from upstream, client: 145.53.9.%d, "
        "server: www.voorbeeldshop.nl, request: \"GET /search/?q=%d HTTP/1.1\", upstream: "
        "\"fastcgi://unix:/run/php/fpm.sock:\", host: \"www.voorbeeldshop.nl\"\n",
        i / 60 % 60, i % 60, i, i % 250, i);
}

static const struct {
    const char *name, *format;
    make_line make;
} cases[] = {
    {"JSON (Hypernode)", NULL, make_json},
    {"combined", NULL, make_combined},
    {"JSON, extended", NULL, make_ext},
    {"log_format string",
     "$remote_addr [$time_local] $host \"$request\" $status $body_bytes_sent rt=$request_time "
     "\"$upstream_addr\" \"$http_user_agent\"",
     make_custom},
    {"nginx error", NULL, make_error},
};

static double cpu_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static int count_event(void *ctx, const struct log_event *event)
{
    (void) event;
    ++*(int64_t *) ctx;
    return 0;
}

static double bench_parser(const char *text, const struct log_options *options, double seconds)
{
    struct log_decoder *decoder;
    struct log_report report;
    int64_t events = 0, rounds = 0;
    double start, used;

    log_report_init(&report);
    if (log_decoder_new(options, 0, 1795348800000000, false, &decoder, &report) < 0)
        exit(1);
    start = cpu_s();
    do {
        const char *at = text, *newline;

        for (; (newline = strchr(at, '\n')) != NULL; at = newline + 1) {
            const struct log_line line = {
                .text = {.ptr = at, .len_bytes = (size_t) (newline - at)}};

            (void) log_decoder_line(decoder, &line, count_event, &events, &report);
        }
        rounds++;
        used = cpu_s() - start;
    } while (used < seconds);
    log_decoder_free(decoder);
    if (events != rounds * LINES)
        exit(1); /* a parser that refuses lines is fast, too */
    return (double) events / used;
}

static double bench_reader(const char *path, const struct log_options *options, double seconds)
{
    int64_t events = 0, rounds = 0;
    struct log_report report;
    double start = cpu_s(), used;

    do {
        if (log_source_read(path, 0, options, count_event, &events, &report) != 0)
            exit(1);
        rounds++;
        used = cpu_s() - start;
    } while (used < seconds);
    if (events != rounds * LINES)
        exit(1);
    return (double) events / used;
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 1.0;
    char *text = malloc((size_t) LINES * LINE_BYTES);
    char plain[] = "/tmp/bench-logs-XXXXXX", packed[64];
    int fd = mkstemp(plain);

    if (!text || fd < 0)
        return 1;
    snprintf(packed, sizeof packed, "%s.gz", plain);
    printf("| lines | bytes a line | parser, lines/s | reader, lines/s | reader .gz, lines/s |\n");
    printf("|---|--:|--:|--:|--:|\n");
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        const struct log_options options = {.access_format = cases[c].format};
        size_t used = 0;
        gzFile gz;

        for (int i = 0; i < LINES; i++)
            used += (size_t) cases[c].make(text + used, LINE_BYTES, i);
        if (ftruncate(fd, 0) < 0 || pwrite(fd, text, used, 0) != (ssize_t) used)
            return 1;
        gz = gzopen(packed, "wb");
        if (!gz || gzwrite(gz, text, (unsigned) used) != (int) used || gzclose(gz) != Z_OK)
            return 1;
        printf("| %s | %zu | %.0f | %.0f | %.0f |\n", cases[c].name, used / LINES,
               bench_parser(text, &options, seconds), bench_reader(plain, &options, seconds),
               bench_reader(packed, &options, seconds));
        fflush(stdout);
    }
    unlink(plain);
    unlink(packed);
    close(fd);
    free(text);
    return 0;
}
