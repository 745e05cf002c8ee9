/* summary_tables.c - routes, modules, workers and crashes as tables. */
#include <errno.h>
#include <inttypes.h>

#include "analyze/module/module.h"
#include "report/crash_text.h"
#include "report/human.h"
#include "report/route_text.h"
#include "report/summary_text.h"
#include "report/table.h"

/* The 63 MB of resident memory that a healthy Magento worker is said to take; of other applications
 * it says nothing. */
enum { REFERENCE_RSS_KIB = 63 * 1024, CELL_BYTES = MODULE_NAME_BYTES + 32 };

/* Cells that are numbers need room while the row is added. */
struct cells {
    char text[12][CELL_BYTES];
    size_t used;
};

static struct slice cell_count(struct cells *cells, uint64_t n)
{
    char *buf = cells->text[cells->used++];

    snprintf(buf, CELL_BYTES, "%" PRIu64, n);
    return slice_of(buf);
}

/* 0 is a status that is not known. */
static struct slice cell_status(struct cells *cells, int status, bool for_people)
{
    return status == 0 && for_people ? SLICE("-") : cell_count(cells, (uint64_t) status);
}

/* People read "64.1 KiB", programs read bytes. */
static struct slice cell_bytes(struct cells *cells, double bytes, bool for_people)
{
    char *buf = cells->text[cells->used++];

    if (for_people)
        return slice_of(human_bytes(bytes, buf, CELL_BYTES));
    snprintf(buf, CELL_BYTES, "%.0f", bytes);
    return slice_of(buf);
}

static struct slice cell_duration(struct cells *cells, int64_t us, bool for_people)
{
    char *buf = cells->text[cells->used++];

    if (for_people)
        return slice_of(human_duration(us, buf, CELL_BYTES));
    snprintf(buf, CELL_BYTES, "%" PRId64, us);
    return slice_of(buf);
}

static struct slice cell_time(struct cells *cells, int64_t us)
{
    return slice_of(human_time(us, cells->text[cells->used++], CELL_BYTES));
}

/* Of the last day of the period the clock is enough for people. */
static struct slice cell_moment(struct cells *cells, int64_t us, int64_t end_us, bool for_people)
{
    const int64_t day_us = INT64_C(86400) * 1000000;

    if (!for_people || us / day_us != end_us / day_us)
        return cell_time(cells, us);
    return slice_of(human_clock(us, cells->text[cells->used++], CELL_BYTES));
}

static struct slice cell_share(struct cells *cells, double part, double whole)
{
    char *buf = cells->text[cells->used++];

    snprintf(buf, CELL_BYTES, "%.1fx", whole > 0 ? part / whole : 0);
    return slice_of(buf);
}

/* "61 % Acme_Catalog": who holds most at the peak; empty when no request was armed. */
static struct slice cell_holder(struct cells *cells, const struct summary_route *route)
{
    char *buf = cells->text[cells->used++];

    if (route->holder_count == 0 || route->holders[0].bytes == 0)
        return SLICE("");
    const struct slice module = slice_head(route->holders[0].module, MODULE_NAME_BYTES);

    snprintf(buf, CELL_BYTES, "%.0f %% %.*s", route->holders[0].share * 100, (int) module.len_bytes,
             module.ptr ? module.ptr : "");
    return slice_of(buf);
}

/* An empty table would be silence: people are told what it means. */
static int finish(struct table *table, FILE *out, int r, bool for_people, const char *when_empty)
{
    if (r == 0 && for_people && table_rows(table) == 0)
        fprintf(out, "%s\n", when_empty);
    else if (r == 0)
        r = table_print(table, out, for_people);
    table_free(table);
    return r;
}

int summary_routes_table(FILE *out, const struct summary_result *result, bool for_people)
{
    static const struct table_column columns[] = {
        {"VERDICT", 0},
        {"ROUTE", TABLE_ELIDE},
        {"HITS", TABLE_RIGHT},
        {"KEEPS", TABLE_RIGHT},
        {"PEAK", TABLE_RIGHT},
        {"ERRORS", TABLE_RIGHT | TABLE_SPARE(1)},
        {"MODULE", TABLE_ELIDE},
        {"ALLOCATED IN", TABLE_ELIDE | TABLE_SPARE(2)},
        {"AT PEAK", TABLE_ELIDE | TABLE_SPARE(3)},
    };
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    int r = table ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < result->route_count; i++) {
        const struct summary_route *route = &result->routes[i];
        struct cells cells = {.used = 0};
        const struct slice row[] = {
            route->verdict,
            route->route,
            cell_count(&cells, route->hits),
            cell_bytes(&cells, route->bytes_per_request, for_people),
            cell_bytes(&cells, (double) route->peak_bytes, for_people),
            cell_count(&cells, route->errors),
            route->module,
            route->allocated_in,
            cell_holder(&cells, route),
        };

        r = table_add(table, row);
    }
    return finish(table, out, r, for_people, "no request was seen in this period");
}

int summary_modules_table(FILE *out, const struct summary_result *result, bool for_people)
{
    static const struct table_column columns[] = {
        {"MODULE", TABLE_ELIDE},
        {"TIER", TABLE_SPARE(3)},
        {"KEEPS", TABLE_RIGHT},
        {"AT PEAK", TABLE_RIGHT},
        {"INCLUSIVE", TABLE_RIGHT | TABLE_SPARE(5)},
        {"CRASHES", TABLE_RIGHT},
        {"ROUTES", TABLE_RIGHT | TABLE_SPARE(2)},
        {"FIRST ROUTE", TABLE_ELIDE},
        {"FIRST SEEN", TABLE_SPARE(4)},
        {"LAST SEEN", TABLE_SPARE(6)},
        {"ALLOCATED IN", TABLE_ELIDE | TABLE_SPARE(1)},
    };
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    int r = table ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < result->module_count; i++) {
        const struct summary_module *module = &result->modules[i];
        struct cells cells = {.used = 0};
        const struct slice row[] = {
            module->module,
            module->tier,
            cell_bytes(&cells, module->bytes_per_request, for_people),
            cell_bytes(&cells, (double) module->held_at_peak_bytes, for_people),
            cell_bytes(&cells, (double) module->held_at_peak_inclusive_bytes, for_people),
            cell_count(&cells, module->crashes),
            cell_count(&cells, module->route_count),
            module->route_count > 0 ? module->routes[0] : SLICE(""),
            cell_moment(&cells, module->first_seen_us, result->to_us, for_people),
            cell_moment(&cells, module->last_seen_us, result->to_us, for_people),
            module->allocated_in_count > 0 ? module->allocated_in[0] : SLICE(""),
        };

        r = table_add(table, row);
    }
    return finish(table, out, r, for_people, "no module is blamed for anything in this period");
}

/* The workers come sorted by RSS: of a pool's workers, the one in the middle. */
static double median_rss_kib(const struct summary_result *result, struct slice pool)
{
    size_t members = 0, before = 0;

    for (size_t i = 0; i < result->worker_count; i++)
        members += slice_equal(result->workers[i].pool, pool);
    for (size_t i = 0; i < result->worker_count; i++)
        if (slice_equal(result->workers[i].pool, pool) && before++ == members / 2)
            return (double) result->workers[i].rss_kib;
    return 0;
}

/* Was Magento's own code seen anywhere? */
static bool is_magento(const struct summary_result *result)
{
    for (size_t i = 0; i < result->module_count; i++)
        if (slice_starts(result->modules[i].module, SLICE("Magento_")))
            return true;
    return false;
}

/* Programs find columns by their place; people are spared a figure of another application. */
static struct slice cell_of_reference(struct cells *cells, const struct summary_worker *worker,
                                      bool is_told)
{
    return is_told ? cell_share(cells, (double) worker->rss_kib, REFERENCE_RSS_KIB) : SLICE("");
}

int summary_workers_table(FILE *out, const struct summary_result *result, bool for_people)
{
    static const struct table_column columns[] = {
        {"PID", TABLE_RIGHT},
        {"POOL", TABLE_ELIDE},
        {"RSS", TABLE_RIGHT},
        {"OF MEDIAN", TABLE_RIGHT},
        {"OF 63 MB", TABLE_RIGHT | TABLE_SPARE(2)},
        {"REQUESTS", TABLE_RIGHT},
        {"AGE", TABLE_RIGHT},
        {"IN FLIGHT", TABLE_ELIDE | TABLE_SPARE(1)},
    };
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    const bool is_told = !for_people || is_magento(result);
    int r = table ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < result->worker_count; i++) {
        const struct summary_worker *worker = &result->workers[i];
        struct cells cells = {.used = 0};
        const double median_kib = median_rss_kib(result, worker->pool);
        const struct slice row[] = {
            cell_count(&cells, (uint64_t) worker->pid),
            worker->pool,
            cell_bytes(&cells, (double) worker->rss_kib * 1024, for_people),
            cell_share(&cells, (double) worker->rss_kib, median_kib),
            cell_of_reference(&cells, worker, is_told),
            cell_count(&cells, worker->requests),
            cell_duration(&cells, worker->age_us, for_people),
            worker->in_flight,
        };

        r = table_add(table, row);
    }
    r = finish(table, out, r, for_people, "no worker lives now; those that died: fpmscope crashes");
    if (r == 0 && for_people && is_told && result->worker_count > 0)
        fputs("  OF 63 MB: of what a healthy worker of a Magento shop takes\n", out);
    return r;
}

int summary_crashes_table(FILE *out, const struct summary_result *result, bool for_people)
{
    static const struct table_column columns[] = {
        {"TIME (UTC)", 0},
        {"PID", TABLE_RIGHT | TABLE_SPARE(2)},
        {"SIGNAL", 0},
        {"BY", 0},
        {"METHOD", TABLE_SPARE(3)},
        {"URI", TABLE_ELIDE},
        {"FAULTING", TABLE_ELIDE | TABLE_SPARE(4)},
        {"MODULE", TABLE_ELIDE},
        {"CLIENT", TABLE_RIGHT | TABLE_SPARE(1)},
    };
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    int r = table ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < result->crash_count; i++) {
        const struct summary_crash *crash = &result->crashes[i];
        struct cells cells = {.used = 0};
        const struct slice row[] = {
            cell_moment(&cells, crash->time_us, result->to_us, for_people),
            cell_count(&cells, (uint64_t) crash->pid),
            slice_of(crash_signal_name(crash->signo)),
            crash->stack_overflow ? SLICE("stack overflow") : crash->killer,
            crash->method,
            crash->uri,
            crash->faulting,
            crash->module,
            cell_status(&cells, crash->client_status, for_people),
        };

        r = table_add(table, row);
    }
    return finish(table, out, r, for_people, "no worker died in this period");
}
