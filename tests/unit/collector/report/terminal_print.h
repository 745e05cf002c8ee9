/* terminal_print.h - what a report prints, on a terminal of so many columns or in a pipe. */
#ifndef FPMSCOPE_TEST_TERMINAL_PRINT_H
#define FPMSCOPE_TEST_TERMINAL_PRINT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct terminal_print {
    char *text;
    size_t len_bytes;
};

/* `columns` NULL: no terminal. */
static inline FILE *terminal_print_begin(struct terminal_print *print, const char *columns)
{
    FILE *out = open_memstream(&print->text, &print->len_bytes);

    assert_non_null(out);
    if (columns)
        setenv("COLUMNS", columns, 1);
    else
        unsetenv("COLUMNS");
    return out;
}

/* free() it. */
static inline char *terminal_print_end(struct terminal_print *print, FILE *out)
{
    unsetenv("COLUMNS");
    fclose(out);
    return print->text;
}

static inline void assert_fits(const char *text, size_t columns)
{
    for (size_t len_bytes; *text; text += len_bytes + (text[len_bytes] != '\0')) {
        len_bytes = strcspn(text, "\n");
        if (len_bytes > columns)
            fail_msg("%.*s", (int) len_bytes, text);
    }
}

#endif
