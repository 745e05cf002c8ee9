/* table.c - rows for people on a terminal (libsmartcols), TAB-separated lines for a pipe. */
#include "report/table.h"

#include <errno.h>
#include <libsmartcols.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "report/columns.h"
#include "report/human.h"
#include "report/paragraph.h"
#include "report/table_fit.h"

enum {
    TABLE_CELL_BYTES = 8192,
    TABLE_TEXT_MAX_BYTES = 1 << 30,
    TABLE_COLUMNS_UNKNOWN = 80,
    TABLE_NOTE_BYTES = 512,
};

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

/* ---- for people -------------------------------------------------------------------------------
 */

struct layout {
    const struct table *table;
    struct table_fit_column *fit;
    struct libscols_table *scols;
};

static const char *cell_of(const struct table *table, size_t row, size_t column)
{
    return table->cells[row * table->column_count + column];
}

static void measure(const struct table *table, struct table_fit_column *fit)
{
    for (size_t i = 0; i < table->column_count; i++) {
        fit[i] = (struct table_fit_column){.heading = columns_of_text(table->columns[i].heading),
                                           .is_empty = true};
        fit[i].widest = fit[i].heading;
        for (size_t r = 0; r < table->row_count; r++) {
            const size_t columns = columns_of_text(cell_of(table, r, i));

            if (columns > fit[i].widest)
                fit[i].widest = columns;
            fit[i].is_empty &= columns == 0;
        }
    }
}

static int column_flags(unsigned flags)
{
    return (flags & TABLE_RIGHT ? SCOLS_FL_RIGHT : 0) | (flags & TABLE_WRAP ? SCOLS_FL_WRAP : 0);
}

static int fill_row(const struct layout *layout, struct libscols_line *line, size_t row)
{
    char text[TABLE_CELL_BYTES];
    size_t at = 0;

    for (size_t i = 0; i < layout->table->column_count; i++) {
        const char *cell = cell_of(layout->table, row, i);
        const unsigned flags = layout->table->columns[i].flags;

        if (layout->fit[i].is_left_out)
            continue;
        if (flags & TABLE_ELIDE)
            cell = columns_elide(cell, layout->fit[i].width, text, sizeof text);
        else if (flags & TABLE_TRUNC)
            cell = columns_cut(cell, layout->fit[i].width, text, sizeof text);
        else if (flags & TABLE_WRAP)
            cell = columns_wrap(cell, layout->fit[i].width, text, sizeof text);
        if (scols_line_set_data(line, at++, cell) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* Texts are broken at blanks before; libsmartcols would break words. */
static int add_column(struct libscols_table *scols, const struct table_column *column)
{
    struct libscols_column *added =
        scols_table_new_column(scols, column->heading, 0, column_flags(column->flags));

    if (!added)
        return -ENOMEM;
    if (!(column->flags & TABLE_WRAP))
        return 0;
    scols_column_set_safechars(added, "\n");
    return scols_column_set_wrapfunc(added, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL);
}

static int fill(const struct layout *layout)
{
    const struct table *table = layout->table;
    int r = 0;

    for (size_t i = 0; r == 0 && i < table->column_count; i++)
        if (!layout->fit[i].is_left_out)
            r = add_column(layout->scols, &table->columns[i]);
    for (size_t row = 0; r == 0 && row < table->row_count; row++) {
        struct libscols_line *line = scols_table_new_line(layout->scols, NULL);

        r = line ? fill_row(layout, line, row) : -ENOMEM;
    }
    return r;
}

/* Columns without a text are not missed. */
static void say_left_out(const struct layout *layout, FILE *out, size_t room)
{
    char note[TABLE_NOTE_BYTES];
    size_t used = 0, names = 0;

    for (size_t i = 0; i < layout->table->column_count; i++)
        if (layout->fit[i].is_left_out && !layout->fit[i].is_empty && used < sizeof note)
            used += (size_t) snprintf(
                note + used, sizeof note - used, "%s%s",
                names++ ? ", " : "not shown for want of room: ", layout->table->columns[i].heading);
    if (names == 0)
        return;
    if (used < sizeof note)
        snprintf(note + used, sizeof note - used, "; a wider terminal, a pipe or --json has %s",
                 names == 1 ? "it" : "them");
    paragraph_print(out, "  ", slice_of(note), room);
}

/* libsmartcols prints what is no letter in the locale as \xNN; texts here are UTF-8 anyway. */
static int print_as_utf8(struct libscols_table *scols)
{
    const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t) 0);
    const locale_t before = utf8 ? uselocale(utf8) : (locale_t) 0;
    const int r = scols_print_table(scols);

    if (utf8) {
        uselocale(before);
        freelocale(utf8);
    }
    return r;
}

static int print_laid_out(const struct layout *layout, FILE *out, size_t room)
{
    int r;

    scols_table_set_stream(layout->scols, out);
    scols_table_set_termforce(layout->scols, SCOLS_TERMFORCE_ALWAYS);
    scols_table_set_termwidth(layout->scols, room);
    r = fill(layout);
    if (r == 0)
        r = print_as_utf8(layout->scols);
    if (r == 0)
        say_left_out(layout, out, room);
    return r;
}

static int print_for_people(const struct table *table, FILE *out)
{
    const size_t room = columns_of_terminal(out, TABLE_COLUMNS_UNKNOWN);
    struct layout layout = {
        .table = table,
        .fit = calloc(table->column_count, sizeof *layout.fit),
        .scols = scols_new_table(),
    };
    int r = -ENOMEM;

    if (layout.fit && layout.scols) {
        measure(table, layout.fit);
        table_fit(table->columns, layout.fit, table->column_count, room);
        r = print_laid_out(&layout, out, room);
    }
    scols_unref_table(layout.scols);
    free(layout.fit);
    return r;
}

int table_print(const struct table *table, FILE *out, bool for_people)
{
    return for_people ? print_for_people(table, out) : print_for_pipes(table, out);
}

bool table_for_people(FILE *out)
{
    return isatty(fileno(out)) == 1;
}
