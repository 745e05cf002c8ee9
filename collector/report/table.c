/* table.c - rows for people on a terminal (libsmartcols), TAB-separated lines for a pipe. */
#include "report/table.h"

#include <errno.h>
#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "report/human.h"

enum { TABLE_CELL_BYTES = 8192, TABLE_TEXT_MAX_BYTES = 1 << 30 };

struct table {
    const struct table_column *columns;
    size_t column_count, row_count, row_capacity;
    const char **cells; /* row_count * column_count, in `texts` */
    struct arena texts;
};

struct table *table_new(const struct table_column *columns, size_t count)
{
    struct table *table = calloc(1, sizeof *table);

    if (!table)
        return NULL;
    table->columns = columns;
    table->column_count = count;
    arena_init(&table->texts, TABLE_TEXT_MAX_BYTES);
    return table;
}

void table_free(struct table *table)
{
    if (!table)
        return;
    arena_release(&table->texts);
    free(table->cells);
    free(table);
}

static int grow(struct table *table)
{
    size_t capacity = table->row_capacity ? table->row_capacity * 2 : 64;
    const char **cells = reallocarray(table->cells, capacity * table->column_count, sizeof *cells);

    if (!cells)
        return -ENOMEM;
    table->cells = cells;
    table->row_capacity = capacity;
    return 0;
}

int table_add(struct table *table, const struct slice *cells)
{
    char text[TABLE_CELL_BYTES];
    const char **row;

    if (table->row_count == table->row_capacity && grow(table) < 0)
        return -ENOMEM;
    row = table->cells + table->row_count * table->column_count;
    for (size_t i = 0; i < table->column_count; i++) {
        row[i] = arena_copy(&table->texts, slice_of(human_text(cells[i], text, sizeof text))).ptr;
        if (!row[i])
            return -ENOMEM;
    }
    table->row_count++;
    return 0;
}

size_t table_rows(const struct table *table)
{
    return table->row_count;
}

/* "-12", "+3.5 %", "-1.2 MiB", or the lone "-" of what is not known. */
static bool is_number(const char *cell)
{
    static const char units[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ% ";

    cell += strspn(cell, "+-") > 0;
    cell += strspn(cell, "0123456789.");
    return strspn(cell, units) == strlen(cell);
}

/* Spreadsheets compute what begins like this, also without quotes around it. */
static bool looks_like_formula(const char *cell)
{
    return *cell && strchr("=+-@", *cell) && !is_number(cell);
}

static int print_for_pipes(const struct table *table, FILE *out)
{
    for (size_t i = 0; i < table->row_count * table->column_count; i++) {
        bool last = (i + 1) % table->column_count == 0;

        if (looks_like_formula(table->cells[i]))
            fputc('\'', out);
        fputs(table->cells[i], out);
        fputc(last ? '\n' : '\t', out);
    }
    return ferror(out) ? -EIO : 0;
}

static int column_flags(unsigned flags)
{
    return (flags & TABLE_RIGHT ? SCOLS_FL_RIGHT : 0) | (flags & TABLE_TRUNC ? SCOLS_FL_TRUNC : 0) |
           (flags & TABLE_WRAP ? SCOLS_FL_WRAP : 0);
}

static int fill(const struct table *table, struct libscols_table *layout)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (!scols_table_new_column(layout, table->columns[i].heading, 0,
                                    column_flags(table->columns[i].flags)))
            return -ENOMEM;
    for (size_t r = 0; r < table->row_count; r++) {
        struct libscols_line *line = scols_table_new_line(layout, NULL);

        if (!line)
            return -ENOMEM;
        for (size_t i = 0; i < table->column_count; i++)
            if (scols_line_set_data(line, i, table->cells[r * table->column_count + i]) < 0)
                return -ENOMEM;
    }
    return 0;
}

int table_print(const struct table *table, FILE *out, bool for_people)
{
    struct libscols_table *layout;
    int r;

    if (!for_people)
        return print_for_pipes(table, out);
    layout = scols_new_table();
    if (!layout)
        return -ENOMEM;
    scols_table_set_stream(layout, out);
    r = fill(table, layout);
    if (r == 0)
        r = scols_print_table(layout);
    scols_unref_table(layout);
    return r;
}

bool table_for_people(FILE *out)
{
    return isatty(fileno(out)) == 1;
}
