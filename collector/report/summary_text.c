/* summary_text.c - the summary as a person reads it at three in the morning: worst first. */
#include "report/summary_text.h"

#include <inttypes.h>

#include "report/columns.h"
#include "report/crash_text.h"
#include "report/frame_text.h"
#include "report/human.h"
#include "report/memory_text.h"
#include "report/paragraph.h"
#include "report/route_text.h"
#include "report/text_sink.h"

enum { CRASHES_READ = 1000, FRAMES_SHOWN = 12, NATIVE_SHOWN = 6, NAME_BYTES = 512, INDENT = 4 };

struct printer {
    FILE *out;
    const struct summary_result *result;
    const struct summary_text_options *options;
};

enum style { PLAIN, BOLD, RED, YELLOW, DIM };

static const char *style_code(const struct printer *printer, enum style style)
{
    static const char *const codes[] = {"\033[0m", "\033[1m", "\033[1;31m", "\033[1;33m",
                                        "\033[2m"};

    return printer->options->colour ? codes[style] : "";
}

static void heading(const struct printer *printer, const char *text)
{
    fprintf(printer->out, "\n%s%s%s\n", style_code(printer, BOLD), text,
            style_code(printer, PLAIN));
}

/* Print `text` broken at blanks, every line indented. */
static void wrapped(const struct printer *printer, const char *text)
{
    char lead[INDENT + 1];

    snprintf(lead, sizeof lead, "%*s", INDENT, "");
    if (*text)
        paragraph_print(printer->out, lead, slice_of(text), paragraph_columns(printer->out));
}

static enum style style_of(const struct route_verdict *verdict)
{
    return verdict->rank == 0 ? RED : verdict->notable ? YELLOW : DIM;
}

static void print_stack(const struct printer *printer, const struct summary_frames *frames,
                        size_t most)
{
    const size_t columns = columns_of_terminal(printer->out, 2 * NAME_BYTES) - INDENT - 1;
    char text[NAME_BYTES], fitted[FRAME_TEXT_BYTES];

    for (size_t i = 0; i < frames->count && i < most; i++) {
        human_text(frames->items[i], text, sizeof text);
        fprintf(printer->out, "%*s%s %s%s\n", INDENT, "", style_code(printer, DIM),
                frame_text_fit(text, columns, fitted), style_code(printer, PLAIN));
    }
}

static void print_route(const struct printer *printer, const struct summary_route *route)
{
    const struct route_verdict *verdict = route_verdict_of(route->verdict);
    char text[ROUTE_TEXT_BYTES];

    fprintf(printer->out, "\n  %s%-8s%s %s\n", style_code(printer, style_of(verdict)),
            verdict->heading, style_code(printer, PLAIN),
            human_text(route->route, text, sizeof text));
    wrapped(printer, route_sentence(route, printer->result, text, sizeof text));
    print_stack(printer, &route->stack, FRAMES_SHOWN);
    wrapped(printer, route_advice(route, printer->result, text, sizeof text));
}

static void print_routes(const struct printer *printer)
{
    const struct summary_result *result = printer->result;
    size_t shown = 0;

    heading(printer, "Routes");
    for (size_t i = 0; i < result->route_count; i++)
        if (printer->options->all || route_verdict_of(result->routes[i].verdict)->notable) {
            print_route(printer, &result->routes[i]);
            shown++;
        }
    if (result->route_count == 0)
        fputs("\n  none yet: no request has ended.\n", printer->out);
    else if (shown < result->route_count)
        fprintf(printer->out, "\n  %zu %sroute%s: nothing to report.\n",
                result->route_count - shown, shown > 0 ? "other " : "",
                human_plural(result->route_count - shown));
}

/* What is fragmented, or with --all every pool. */
static void print_memory(const struct printer *printer)
{
    const struct summary_result *result = printer->result;
    char text[MEMORY_TEXT_BYTES], pool[NAME_BYTES];
    bool headed = false;

    for (size_t i = 0; i < result->memory_count; i++) {
        const struct summary_memory *memory = &result->memory[i];

        if (!memory->fragmented && !printer->options->all)
            continue;
        if (!headed)
            heading(printer, "Memory of the workers");
        headed = true;
        fprintf(printer->out, "\n  %s%s%s pool %s\n",
                style_code(printer, memory->fragmented ? YELLOW : DIM),
                memory->fragmented ? "FRAGMENTED" : "EXPLAINED", style_code(printer, PLAIN),
                human_text(memory->pool, pool, sizeof pool));
        wrapped(printer, memory_sentence(memory, text, sizeof text));
        wrapped(printer, memory_advice(memory));
    }
}

/* Deaths that share signal, route, module and place are one trouble: told once, with a count.
 * Where a recursion runs out of stack is chance. */
static bool is_same_trouble(const struct summary_crash *a, const struct summary_crash *b)
{
    return a->signo == b->signo && a->stack_overflow == b->stack_overflow &&
           slice_equal(a->killer, b->killer) && slice_equal(a->route, b->route) &&
           slice_equal(a->module, b->module) &&
           (a->stack_overflow || slice_equal(a->faulting, b->faulting));
}

static void print_trouble(const struct printer *printer, const struct summary_crash *crash,
                          size_t times)
{
    char text[CRASH_TEXT_BYTES], time[HUMAN_TIME_BYTES];

    fprintf(printer->out, "\n  %s%-8s%s %s%s UTC", style_code(printer, RED),
            crash_signal_name(crash->signo), style_code(printer, PLAIN),
            times > 1 ? "last at " : "", human_time(crash->time_us, time, sizeof time));
    if (times > 1)
        fprintf(printer->out, ", %zu times", times);
    fputc('\n', printer->out);
    wrapped(printer, crash_sentence(crash, text, sizeof text));
    print_stack(printer, &crash->native_stack, NATIVE_SHOWN);
    print_stack(printer, &crash->php_stack, FRAMES_SHOWN);
    wrapped(printer, crash_advice(crash, text, sizeof text));
}

static bool has_later_twin(const struct summary_result *result, size_t index)
{
    for (size_t i = index + 1; i < result->crash_count; i++)
        if (is_same_trouble(&result->crashes[i], &result->crashes[index]))
            return true;
    return false;
}

static size_t count_twins(const struct summary_result *result, size_t index)
{
    size_t count = 0;

    for (size_t i = 0; i < result->crash_count; i++)
        count += is_same_trouble(&result->crashes[i], &result->crashes[index]);
    return count;
}

/* The newest trouble last, where the eye ends up; each shown as its last death was. */
static void print_crashes(const struct printer *printer)
{
    const struct summary_result *result = printer->result;
    size_t first = result->crash_count > CRASHES_READ ? result->crash_count - CRASHES_READ : 0;

    if (result->crash_count == 0)
        return;
    heading(printer, "Workers that died");
    if (first > 0)
        fprintf(printer->out, "  the last %d of %zu; all of them: fpmscope crashes\n", CRASHES_READ,
                result->crash_count);
    for (size_t i = first; i < result->crash_count; i++)
        if (!has_later_twin(result, i))
            print_trouble(printer, &result->crashes[i], count_twins(result, i));
}

/* "       5  worker_crash                 a PHP worker crashed while it served the request" */
static void print_cause(const struct printer *printer, enum gateway_verdict verdict, size_t count)
{
    char lead[NAME_BYTES];

    snprintf(lead, sizeof lead, "  %6zu  %-28s ", count, gateway_verdict_name(verdict));
    paragraph_print(printer->out, lead, slice_of(gateway_verdict_meaning(verdict)),
                    columns_of_terminal(printer->out, NAME_BYTES));
}

static void print_gateway(const struct printer *printer, const struct gateway_report *gateway)
{
    if (!gateway || gateway->row_count == 0)
        return;
    heading(printer, "Failed requests, by cause");
    for (int i = 0; i < VERDICT_COUNT; i++)
        if (gateway->count_by_verdict[i] > 0)
            print_cause(printer, (enum gateway_verdict) i, gateway->count_by_verdict[i]);
    if (gateway->death_count > 0)
        fprintf(printer->out, "  %6zu  deaths that no 5xx shows\n", gateway->death_count);
    fputs("  each of them with its evidence: fpmscope 502 --all\n", printer->out);
}

static void say_head(FILE *out, const struct summary_result *result,
                     const struct gateway_report *gateway)
{
    char from[HUMAN_TIME_BYTES], to[HUMAN_TIME_BYTES];

    fprintf(out, "%s to %s UTC: %" PRIu64 " request%s, %zu route%s, %zu death%s",
            human_time(result->from_us, from, sizeof from),
            human_time(result->to_us, to, sizeof to), result->requests,
            human_plural(result->requests), result->route_count, human_plural(result->route_count),
            result->crash_count, human_plural(result->crash_count));
    if (gateway)
        fprintf(out, ", %zu failed request%s", gateway->row_count,
                human_plural(gateway->row_count));
}

/* One line for who searches in it, but on a terminal where it would not fit. */
static void print_head(const struct printer *printer, const struct gateway_report *gateway)
{
    char text[NAME_BYTES];
    FILE *sink;

    if (printer->result->from_us == 0 && printer->result->to_us == 0) {
        fputs("fpmscope: nothing was collected yet\n", printer->out);
        return;
    }
    sink = text_sink_open(text, sizeof text);
    if (sink)
        say_head(sink, printer->result, gateway);
    paragraph_print(printer->out, "fpmscope: ", slice_of(text_sink_close(sink, text, sizeof text)),
                    columns_of_terminal(printer->out, sizeof text));
}

void summary_text_print(FILE *out, const struct summary_result *result,
                        const struct gateway_report *gateway,
                        const struct summary_text_options *options)
{
    const struct printer printer = {.out = out, .result = result, .options = options};
    char bytes[HUMAN_BYTES];

    print_head(&printer, gateway);
    print_routes(&printer);
    if (result->worker_growth_bytes_per_request > 0)
        fprintf(out, "\n  Every request of every route keeps %s: a baseline, nobody's fault.\n",
                human_bytes((double) result->worker_growth_bytes_per_request, bytes, sizeof bytes));
    print_memory(&printer);
    print_crashes(&printer);
    print_gateway(&printer, gateway);
}
