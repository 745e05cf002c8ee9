/*
 * nginx_walk.h - every directive of an nginx configuration, in the order in which nginx reads them.
 *
 * The text is what `nginx -T` prints (each file once, under "# configuration file NAME:"), or one
 * file. With -T's output `include` is followed to where it stands, patterns too, so that blocks are
 * the ones that nginx sees; includes of files that the text does not hold are counted.
 */
#ifndef FPMSCOPE_LOGS_NGINX_WALK_H
#define FPMSCOPE_LOGS_NGINX_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum {
    NGINX_WORDS_MAX = 64,         /* of a directive; further ones are dropped */
    NGINX_FILES_MAX = 512,        /* of a dump; further ones are not found by include */
    NGINX_DEPTH_MAX = 32,         /* of blocks */
    NGINX_INCLUDE_DEPTH_MAX = 16, /* of includes: a file may include itself */
    NGINX_DIRECTIVES_MAX = 100000,
};

struct nginx_word {
    struct slice raw; /* without its quotes, escapes not undone */
};

struct nginx_directive {
    struct nginx_word words[NGINX_WORDS_MAX]; /* the name first */
    size_t count;                             /* at least 1 */
    bool opens;                               /* a block follows */
    int depth;                                /* of blocks around it */
    struct slice file;                        /* empty: the text is one file */
    int line;                                 /* 1-based, in that file */
};

struct nginx_visitor {
    void (*on_directive)(void *ctx, const struct nginx_directive *directive);
    void (*on_close)(void *ctx, int depth); /* the block that was opened at this depth is over */
    void *ctx;
};

struct nginx_walk_result {
    int64_t directives;
    int64_t missing_includes;
    bool broken; /* braces do not match, or a ceiling was met: the rest was not read */
};

/* Pure; everything that is handed out points into `text`. */
struct nginx_walk_result nginx_walk(struct slice text, const struct nginx_visitor *visitor);

/* The word with \" \' \\ \t \r \n undone, NUL-terminated and cut to `size`; its length. */
size_t nginx_word_text(const struct nginx_word *word, char *out, size_t size);

bool nginx_word_is(const struct nginx_word *word, const char *text);

#endif
