/*
 * gateway_case.h - small cases for the gateway engine: a few lines of each log in, rows out,
 * through the real parsers.
 *
 * Everything happens between 05:38:20 and 05:38:29 UTC on 22 November 2026; macros take the last
 * digit of the second as text, so that a line of any log is one literal.
 */
#ifndef GATEWAY_CASE_H
#define GATEWAY_CASE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyze/gateway/gateway.h"
#include "logs/line_reader.h"
#include "logs/log_decoder.h"
#include "model/event_parse.h"

#define CASE_BASE_US INT64_C(1795325900000000) /* 05:38:20 */

/* An access line: `took` "0.119", `handler` "phpfpm" or "varnish", `id` a request id or "". */
#define HOP_ID(s, status, uri, took, handler, port, ip, id)                                        \
    "{\"time\":\"2026-11-22T05:38:2" s "+00:00\", \"remote_addr\":\"" ip                           \
    "\", \"host\":\"shop.example\", \"request\":\"GET " uri " HTTP/1.1\", \"status\":\"" status    \
    "\", \"body_bytes_sent\":\"150\", \"user_agent\":\"test\", \"request_time\":\"" took           \
    "\", \"handler\":\"" handler "\", \"port\":\"" port "\", \"request_id\":\"" id "\"}\n"
#define BACK(s, status, uri, took, ip)  HOP_ID(s, status, uri, took, "phpfpm", "8081", ip, "")
#define FRONT(s, status, uri, took, ip) HOP_ID(s, status, uri, took, "varnish", "443", ip, "")
#define COMBINED(s, status, uri, ip)                                                               \
    ip " - - [22/Nov/2026:05:38:2" s " +0000] \"GET " uri " HTTP/1.1\" " status                    \
       " 150 \"-\" \"test\"\n"

#define FAULT(s, what, uri, ip, upstream)                                                          \
    "2026/11/22 05:38:2" s " [error] 7#7: *3 " what ", client: " ip                                \
    ", server: shop.example, request: \"GET " uri " HTTP/1.1\", upstream: \"" upstream             \
    "\", host: \"shop.example\"\n"
#define PHP_SOCKET "fastcgi://unix:/run/php/fpm.sock:"
#define VARNISH    "http://127.0.0.1:6081/"
#define RESET                                                                                      \
    "recv() failed (104: Connection reset by peer) while reading response header from upstream"
#define REFUSED "connect() failed (111: Connection refused) while connecting to upstream"

#define FPM(s, text) "[22-Nov-2026 05:38:2" s "] " text "\n"

#define EVENTS    "{\"e\":\"hdr\",\"v\":1,\"trace\":\"t\",\"clock\":\"unix\"}\n"
#define TS(s, us) "\"ts\":179532590" s us
#define BEG_ID(s, us, pid, uri, ip, id)                                                            \
    "{\"e\":\"beg\"," TS(s, us) ",\"pid\":" pid ",\"seq\":1,\"method\":\"GET\",\"uri\":\"" uri     \
                                "\",\"host\":\"shop.example\",\"port\":\"8081\",\"ip\":\"" ip      \
                                "\",\"ua\":\"test\",\"rid\":\"" id "\"}\n"
#define BEG(s, us, pid, uri, ip) BEG_ID(s, us, pid, uri, ip, "")
#define RSP(s, us, pid, status)                                                                    \
    "{\"e\":\"rsp\"," TS(s, us) ",\"pid\":" pid ",\"seq\":1,\"st\":" status "}\n"
#define REQ(s, us, pid) "{\"e\":\"req\"," TS(s, us) ",\"pid\":" pid ",\"seq\":1}\n"
#define CRASH(s, us, pid, rest)                                                                    \
    "{\"e\":\"crash\"," TS(s, us) ",\"pid\":" pid ",\"seq\":1," rest ",\"inreq\":true}\n"
#define SEGV "\"sig\":11,\"code\":1,\"addr\":\"(nil)\",\"ip\":\"0x7f01\",\"sent\":false"
#define EXIT(s, us, pid, sig)                                                                      \
    "{\"e\":\"exit\"," TS(s, us) ",\"pid\":" pid ",\"master\":900,\"sig\":" sig ",\"core\":false}" \
                                 "\n"
#define KILL(s, us, target, sig)                                                                   \
    "{\"e\":\"kill\"," TS(s, us) ",\"pid\":900,\"target\":" target ",\"sig\":" sig                 \
                                 ",\"master\":true}\n"
#define MASTER(s, us, pid) "{\"e\":\"master\"," TS(s, us) ",\"pid\":" pid "}\n"

/* Two equal requests from one address in one second, two workers crash together. */
#define CART "/checkout/cart/add/"
#define TWINS_ACCESS                                                                               \
    BACK("4", "502", CART, "0.301", "192.0.2.7") BACK("4", "502", CART, "0.302", "192.0.2.7")
#define TWINS_EVENTS TWINS_EVENTS_ID("", "")
#define TWINS_EVENTS_ID(first, second)                                                             \
    EVENTS BEG_ID("4", "100000", "41", CART, "192.0.2.7", first)                                   \
        BEG_ID("4", "101000", "42", CART, "192.0.2.7", second) CRASH("4", "400000", "41", SEGV)    \
            CRASH("4", "401000", "42", SEGV)
#define TWINS_ERROR                                                                                \
    FAULT("4", RESET, CART, "192.0.2.7", PHP_SOCKET)                                               \
    FAULT("4", RESET, CART, "192.0.2.7", PHP_SOCKET)
/* The same with request ids; the later answer is the first one's. */
#define TWINS_WITH_IDS(first, second)                                                              \
    {                                                                                              \
        .access = HOP_ID("4", "502", CART, "0.301", "phpfpm", "8081", "192.0.2.7", second)         \
            HOP_ID("4", "502", CART, "0.302", "phpfpm", "8081", "192.0.2.7", first),               \
        .error = TWINS_ERROR, .events = TWINS_EVENTS_ID(first, second)                             \
    }

/* One text per source; NULL: this log does not exist. */
struct gateway_case {
    const char *access, *error, *fpm, *kernel, *php, *varnishlog, *varnishd, *events, *older_access;
};

enum { CASE_SOURCES = sizeof(struct gateway_case) / sizeof(char *) };

static int case_on_log(void *ctx, const struct log_event *event)
{
    gateway_add_log(ctx, event);
    return 0;
}

static void case_feed_events(struct gateway *gateway, const char *text)
{
    struct event_parser *parser = event_parser_new();
    struct event event;

    assert_non_null(parser);
    for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
        const struct slice line = {text, (size_t) (end - text)};

        assert_int_equal(event_parse(parser, line, &event), 0);
        gateway_add_event(gateway, &event);
    }
    event_parser_free(parser);
}

static void case_feed_log(struct gateway *gateway, int file, const char *text)
{
    const struct log_options options = {.reference_us = CASE_BASE_US + 3600000000};
    struct log_decoder *decoder;
    struct log_report report;
    int64_t offset_bytes = 0;

    log_report_init(&report);
    assert_int_equal(
        log_decoder_new(&options, file, options.reference_us, false, &decoder, &report), 0);
    for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
        const struct log_line line = {{text, (size_t) (end - text)}, offset_bytes, false};

        log_decoder_line(decoder, &line, case_on_log, gateway, &report);
        offset_bytes += end + 1 - text;
    }
    log_decoder_flush(decoder, case_on_log, gateway, &report);
    assert_int_not_equal(report.format, LOG_FORMAT_UNKNOWN);
    log_decoder_free(decoder);
}

static void case_feed(struct gateway *gateway, const struct gateway_case *texts)
{
    const char *const *text = (const char *const *) texts;

    for (int i = 0; i < CASE_SOURCES; i++) {
        if (!text[i])
            continue;
        if (text[i] == texts->events)
            case_feed_events(gateway, text[i]);
        else
            case_feed_log(gateway, i, text[i]);
    }
}

/* The engine with its report; to be freed with gateway_free(). */
static inline struct gateway *case_run(struct gateway_case texts,
                                       const struct gateway_report **ret_report)
{
    struct gateway *gateway = gateway_new(NULL);

    assert_non_null(gateway);
    gateway_pass(gateway, GATEWAY_SCAN);
    case_feed(gateway, &texts);
    gateway_pass(gateway, GATEWAY_GATHER);
    case_feed(gateway, &texts);
    *ret_report = gateway_finish(gateway);
    return gateway;
}

#endif
