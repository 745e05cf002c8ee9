/* crash_text.c - the death of a worker in words. */
#include "report/crash_text.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "analyze/module/module_app.h"
#include "analyze/module/native_origin.h"
#include "report/human.h"
#include "report/text_sink.h"

enum { GROWERS_SAID = 2 };

static const struct {
    int signo;
    const char *name;
} signals[] = {
    {0, "exit"},          {SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},   {SIGQUIT, "SIGQUIT"},
    {SIGILL, "SIGILL"},   {SIGTRAP, "SIGTRAP"}, {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},
    {SIGFPE, "SIGFPE"},   {SIGKILL, "SIGKILL"}, {SIGUSR1, "SIGUSR1"}, {SIGSEGV, "SIGSEGV"},
    {SIGUSR2, "SIGUSR2"}, {SIGPIPE, "SIGPIPE"}, {SIGALRM, "SIGALRM"}, {SIGTERM, "SIGTERM"},
    {SIGXCPU, "SIGXCPU"}, {SIGXFSZ, "SIGXFSZ"}, {SIGSYS, "SIGSYS"},
};

const char *crash_signal_name(int signo)
{
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (signals[i].signo == signo)
            return signals[i].name;
    return "SIG?";
}

static bool is_by(const struct summary_crash *crash, const char *killer)
{
    return slice_equal(crash->killer, slice_of(killer));
}

/* A signal that another process sent: where the worker was then is nobody's fault. */
static bool is_sent(const struct summary_crash *crash)
{
    return !crash->stack_overflow && crash->signo != 0 &&
           (is_by(crash, "outside") || is_by(crash, "master"));
}

/* "from outside", "by the kernel", "by the master"; nothing when nobody knows. */
static void say_killer(FILE *out, const char *before, const struct summary_crash *crash,
                       const char *after)
{
    if (crash->killer.len_bytes == 0)
        return;
    fputs(before, out);
    text_sink_say(out, is_by(crash, "outside") ? "from " : "by the ", crash->killer, after);
}

static void say_how(FILE *out, const struct summary_crash *crash)
{
    if (crash->stack_overflow)
        fputs("overflowed its C stack (endless recursion)", out);
    else if (crash->signo == SIGKILL)
        fputs("was killed (SIGKILL)", out);
    else if (crash->signo == 0)
        fprintf(out, "exited with code %d", crash->code);
    else
        fprintf(out, "died of %s", crash_signal_name(crash->signo));
    if (crash->signo == SIGKILL)
        say_killer(out, " ", crash, "");
    else if (is_sent(crash))
        say_killer(out, ", sent ", crash, ",");
    else
        text_sink_say(out, " in ", crash->faulting, "");
}

static void say_doing_what(FILE *out, const struct summary_crash *crash)
{
    if (!crash->in_request && crash->uri.len_bytes == 0) {
        fputs(", idle", out);
        return;
    }
    fputs(crash->response_sent ? ", after it had answered " : " while serving ", out);
    text_sink_say(out, "", crash->method, " ");
    text_sink_say(out, "", crash->uri, "");
    if (crash->client_status > 0)
        fprintf(out, " (the client got %d)", crash->client_status);
}

/* "the Zend heap grew by 38.1 MiB in this request, 30.2 MiB of it taken by Acme_Feed (...)" */
static void say_grown(FILE *out, const struct summary_grown *grown)
{
    char bytes[HUMAN_BYTES];

    fprintf(out, "the Zend heap grew by %s in this request",
            human_bytes((double) grown->bytes, bytes, sizeof bytes));
    for (size_t i = 0; i < grown->grower_count && i < GROWERS_SAID; i++) {
        const struct summary_holder *grower = &grown->growers[i];

        if (grower->bytes == 0)
            return;
        fprintf(out, ", %s%s", human_bytes((double) grower->bytes, bytes, sizeof bytes),
                i == 0 ? " of it taken" : "");
        text_sink_say(out, " by ", module_app_in_words(grower->module), "");
        text_sink_say(out, " (", grower->frame, ")");
    }
}

const char *crash_sentence(const struct summary_crash *crash, char *buf, size_t cap)
{
    FILE *out = text_sink_open(buf, cap);
    char bytes[HUMAN_BYTES];

    if (!out)
        return buf;
    fprintf(out, "worker %" PRId64, crash->pid);
    text_sink_say(out, " (pool ", crash->pool, ")");
    fputc(' ', out);
    say_how(out, crash);
    say_doing_what(out, crash);
    if (!is_sent(crash))
        text_sink_say(out, ": in ", module_app_in_words(crash->module), "");
    text_sink_say(out, is_sent(crash) ? "; it was at " : ", at ", crash->blamed_frame, "");
    if (crash->rss_kib > 0)
        fprintf(out, "; RSS %s", human_bytes((double) crash->rss_kib * 1024, bytes, sizeof bytes));
    if (crash->grown.bytes > 0) {
        fputs("; ", out);
        say_grown(out, &crash->grown);
    }
    return text_sink_close(out, buf, cap);
}

static void advise(FILE *out, const struct summary_crash *crash)
{
    if (crash->stack_overflow) {
        text_sink_say(out, "fix the recursion in ", module_app_in_words(crash->module), "; ");
        fputs("PHP 8.3 and later turn it into an exception", out);
    } else if (crash->signo == SIGKILL && is_by(crash, "kernel")) {
        fputs("memory ran out: fpmscope 502 --all says who held it", out);
    } else if (crash->signo == SIGKILL) {
        fputs("look for who sends SIGKILL: the kernel log (OOM), cron jobs, deploys, the platform",
              out);
    } else if (crash->signo == SIGTERM || crash->signo == SIGQUIT) {
        fputs("look for who stops php-fpm: reloads, deploys, request_terminate_timeout", out);
    } else if (is_sent(crash)) {
        fprintf(out, "look for who sends %s: cron jobs, deploys, watchdogs, the platform",
                crash_signal_name(crash->signo));
    } else {
        const bool is_php = native_library_kind(crash->culprit_library) == NATIVE_HOST;

        text_sink_say(out, is_php ? "update " : "disable or update ", crash->culprit_library,
                      " or ");
        if (module_app_is_name(crash->module))
            text_sink_say(out, "mend ", module_app_in_words(crash->module), ", which called it");
        else
            text_sink_say(out, "disable ", module_app_in_words(crash->module),
                          ", the module that called it");
        if (crash->module.len_bytes == 0)
            fputs("the last thing that changed; collect a core with gdb if it stays unclear", out);
    }
}

const char *crash_advice(const struct summary_crash *crash, char *buf, size_t cap)
{
    FILE *out = text_sink_open(buf, cap);

    if (!out)
        return buf;
    advise(out, crash);
    return text_sink_close(out, buf, cap);
}
