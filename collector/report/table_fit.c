/* table_fit.c - leave out what is empty, shorten names, leave out columns, until a table fits. */
#include "report/table_fit.h"

enum { GAP = 1 /* between two columns */ };

struct fitting {
    const struct table_column *columns;
    struct table_fit_column *fit;
    size_t count, room;
};

static bool is_elastic(const struct table_column *column)
{
    return column->flags & (TABLE_TRUNC | TABLE_ELIDE | TABLE_WRAP);
}

static size_t least_of(const struct table_column *column, const struct table_fit_column *fit)
{
    const size_t least =
        fit->heading > TABLE_FIT_NAME_COLUMNS ? fit->heading : TABLE_FIT_NAME_COLUMNS;

    return is_elastic(column) && fit->widest > least ? least : fit->widest;
}

/* Of the whole table: with each column as it is now, or as small as it can be. */
static size_t total(const struct fitting *fitting, bool least)
{
    size_t sum = 0;

    for (size_t i = 0; i < fitting->count; i++) {
        const struct table_fit_column *fit = &fitting->fit[i];

        if (!fit->is_left_out)
            sum += GAP + (least ? least_of(&fitting->columns[i], fit) : fit->width);
    }
    return sum > 0 ? sum - GAP : 0;
}

/* The next column to do without: spare, of the highest rank. */
static struct table_fit_column *find_spare(const struct fitting *fitting)
{
    struct table_fit_column *found = NULL;
    unsigned best = 0;

    for (size_t i = 0; i < fitting->count; i++) {
        struct table_fit_column *fit = &fitting->fit[i];
        const unsigned rank = TABLE_SPARE_RANK(fitting->columns[i].flags);

        if (fit->is_left_out || rank <= best)
            continue;
        best = rank;
        found = fit;
    }
    return found;
}

static struct table_fit_column *find_widest_elastic(const struct fitting *fitting)
{
    struct table_fit_column *found = NULL;

    for (size_t i = 0; i < fitting->count; i++) {
        struct table_fit_column *fit = &fitting->fit[i];

        if (!fit->is_left_out && fit->width > least_of(&fitting->columns[i], fit) &&
            (!found || fit->width > found->width))
            found = fit;
    }
    return found;
}

void table_fit(const struct table_column *columns, struct table_fit_column *fit, size_t count,
               size_t room)
{
    const struct fitting fitting = {columns, fit, count, room};
    struct table_fit_column *next;

    for (size_t i = 0; i < count; i++) {
        fit[i].width = fit[i].widest;
        fit[i].is_left_out = fit[i].is_empty && TABLE_SPARE_RANK(columns[i].flags) > 0;
    }
    while (total(&fitting, true) > room && (next = find_spare(&fitting)))
        next->is_left_out = true;
    while (total(&fitting, false) > room && (next = find_widest_elastic(&fitting)))
        next->width--;
}
