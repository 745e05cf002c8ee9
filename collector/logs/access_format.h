/*
 * access_format.h - an nginx log_format string, compiled once into a matcher.
 *
 *     log_format main '$remote_addr - [$time_local] "$request" $status rt=$request_time';
 *
 * is the text between the quotes (several quoted pieces may be given as nginx concatenates them).
 */
#ifndef FPMSCOPE_LOGS_ACCESS_FORMAT_H
#define FPMSCOPE_LOGS_ACCESS_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include "logs/access_draft.h"

enum {
    ACCESS_FORMAT_PARTS_MAX = 64,
    ACCESS_FORMAT_TEXT_BYTES = 2048,
};

/* How a value ends. */
enum access_part_kind {
    ACCESS_PART_PLAIN,   /* at the literal behind it */
    ACCESS_PART_DATE,    /* $time_local: a blank inside */
    ACCESS_PART_REQUEST, /* $request: blanks inside, ends behind HTTP/x.y */
    ACCESS_PART_LIST,    /* $upstream_x: "502, 200", "502 : 200" */
};

struct access_part {
    struct slice before; /* the literal in front; points into `text` */
    enum access_part_kind kind;
    enum access_field field;
};

struct access_format {
    char text[ACCESS_FORMAT_TEXT_BYTES]; /* the literals */
    struct access_part parts[ACCESS_FORMAT_PARTS_MAX];
    size_t parts_count;
    struct slice tail; /* the literal behind the last value */
    bool escaped;      /* not escape=none */
};

/*
 * Compile `log_format`; a leading "escape=json|default|none" is understood.  Returns NULL, or what
 * is wrong with it ("no $status", "too long", "$a and $b touch").  `format` must not move
 * afterwards.
 */
const char *access_format_compile(struct access_format *format, const struct access_names *names,
                                  const char *log_format);

/* What access_format_compile() would say about `log_format`, NULL when it can be used.  Allocates
 * for the time of the call; "out of memory" is an answer, too, and so is "too long" (from
 * ACCESS_FORMAT_TEXT_BYTES on). */
const char *access_format_problem(const char *log_format);

#endif
