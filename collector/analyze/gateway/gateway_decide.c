/*
 * gateway_decide.c - the decision table: one predicate per row of verdicts.def, tried in order.
 *
 * A predicate looks at the evidence of one request and at nothing else.  The text of nginx's error
 * names the cause only for refused connections, headers and time-outs; a reset connection has ten
 * causes with the same text, there the death decides.
 */
#include "analyze/gateway/gateway_parts.h"

enum { AT_ONCE_US = 50000 };

static bool fault_is(const struct fault *fault, enum log_nginx_cause cause)
{
    return fault && fault->cause == cause;
}

static bool is_reset(const struct fault *fault)
{
    return fault_is(fault, NGINX_RESET) || fault_is(fault, NGINX_CLOSED_EARLY);
}

static bool refused_by_php(const struct evidence *e, enum log_nginx_cause cause)
{
    return !e->death && fault_is(e->php_fault, cause);
}

static bool died_of(const struct evidence *e, enum death_cause cause)
{
    return e->death && !e->mixed_deaths && e->death->cause == cause;
}

/* Nothing went wrong between nginx and PHP, as far as anybody says. */
static bool php_side_is_quiet(const struct evidence *e)
{
    return !e->death && !e->php_fault;
}

static bool header_too_big_from_php(const struct evidence *e)
{
    return fault_is(e->php_fault, NGINX_HEADER_TOO_BIG);
}

static bool header_too_big_from_proxy(const struct evidence *e)
{
    return fault_is(e->proxy_fault, NGINX_HEADER_TOO_BIG);
}

static bool backlog_was_full(const struct evidence *e)
{
    return refused_by_php(e, NGINX_CONNECT_EAGAIN);
}

static bool connect_timed_out(const struct evidence *e)
{
    return refused_by_php(e, NGINX_CONNECT_TIMEOUT);
}

static bool fpm_socket_is_gone(const struct evidence *e)
{
    return refused_by_php(e, NGINX_CONNECT_ENOENT);
}

static bool fpm_refuses(const struct evidence *e)
{
    return refused_by_php(e, NGINX_CONNECT_REFUSED);
}

static bool nginx_may_not_connect(const struct evidence *e)
{
    return refused_by_php(e, NGINX_CONNECT_DENIED);
}

static bool nginx_had_given_up_php(const struct evidence *e)
{
    return refused_by_php(e, NGINX_NO_LIVE);
}

static bool nginx_cannot_connect(const struct evidence *e)
{
    return refused_by_php(e, NGINX_CONNECT_OTHER);
}

static bool cannot_connect_to_proxy(const struct evidence *e)
{
    return fault_is(e->proxy_fault, NGINX_CONNECT_REFUSED) ||
           fault_is(e->proxy_fault, NGINX_CONNECT_ENOENT) ||
           fault_is(e->proxy_fault, NGINX_CONNECT_TIMEOUT) ||
           fault_is(e->proxy_fault, NGINX_CONNECT_EAGAIN) ||
           fault_is(e->proxy_fault, NGINX_CONNECT_DENIED) ||
           fault_is(e->proxy_fault, NGINX_NO_LIVE) || fault_is(e->proxy_fault, NGINX_CONNECT_OTHER);
}

static bool varnish_child_died_then(const struct evidence *e)
{
    return php_side_is_quiet(e) && e->varnish_died &&
           (is_reset(e->proxy_fault) || cannot_connect_to_proxy(e));
}

static bool nginx_cannot_reach_varnish(const struct evidence *e)
{
    return php_side_is_quiet(e) && cannot_connect_to_proxy(e);
}

static bool varnish_stopped_under_it(const struct evidence *e)
{
    return php_side_is_quiet(e) && is_reset(e->proxy_fault) && e->varnish_down_near;
}

static bool fetch_says(const struct evidence *e, const char *what)
{
    return e->fetch && slice_find(gateway_text(e->gateway, e->fetch->error), slice_of(what)) >= 0;
}

/* Varnish answers 503 itself while the backend's line says that the client, Varnish, had gone. */
static bool varnish_gave_up_waiting(const struct evidence *e)
{
    if (!php_side_is_quiet(e))
        return false;
    if (e->fetch)
        return fetch_says(e, "first byte timeout") || fetch_says(e, "between bytes timeout");
    return e->front_hop && e->back_hop && e->status == 503 && e->back_status == 499;
}

static bool varnish_cannot_connect(const struct evidence *e)
{
    return php_side_is_quiet(e) && (fetch_says(e, "fail errno") || fetch_says(e, "unhealthy") ||
                                    fetch_says(e, "no backend") || fetch_says(e, "No backend") ||
                                    fetch_says(e, "busy") || fetch_says(e, "not connected"));
}

static bool request_ran_into_terminate_timeout(const struct evidence *e)
{
    return died_of(e, DEATH_TIMEOUT);
}

static bool restarted_for(const struct evidence *e, enum gateway_reason reason)
{
    return died_of(e, DEATH_RESTART) && e->restart && e->restart->reason == reason;
}

static bool pool_was_restarted_after_crashes(const struct evidence *e)
{
    return restarted_for(e, REASON_EMERGENCY_RESTART);
}

static bool pool_was_reloaded(const struct evidence *e)
{
    return restarted_for(e, REASON_RELOAD);
}

/* A worker that vanished was killed together with its master when nobody was there afterwards. */
static bool pool_was_restarted(const struct evidence *e)
{
    return died_of(e, DEATH_RESTART) || (died_of(e, DEATH_LOST) && e->fpm_gone_after);
}

static bool stack_overflowed(const struct evidence *e)
{
    return died_of(e, DEATH_CRASH) && e->death->stack_overflow;
}

static bool library_is(const struct evidence *e, const char *const names[])
{
    struct slice library = e->death ? gateway_text(e->gateway, e->death->shared_object) : SLICE("");

    for (int i = 0; names[i]; i++)
        if (slice_find(library, slice_of(names[i])) >= 0)
            return true;
    return false;
}

static bool crashed_in_ioncube(const struct evidence *e)
{
    return died_of(e, DEATH_CRASH) && library_is(e, (const char *[]){"ioncube", "ionCube", NULL});
}

static bool crashed_in_apm(const struct evidence *e)
{
    static const char *const names[] = {"newrelic", "blackfire", "ddtrace",     "tideways",
                                        "datadog",  "xdebug",    "elastic_apm", NULL};

    return died_of(e, DEATH_CRASH) && library_is(e, names);
}

static bool crashed_in_php(const struct evidence *e)
{
    static const char *const names[] = {"php-fpm", "libphp", "opcache.so", NULL};

    return died_of(e, DEATH_CRASH) && library_is(e, names);
}

static bool heap_was_corrupt(const struct evidence *e)
{
    return died_of(e, DEATH_CRASH) && e->death->signo == 6;
}

static bool mapped_file_was_cut(const struct evidence *e)
{
    return died_of(e, DEATH_CRASH) && e->death->signo == 7;
}

static bool crashed(const struct evidence *e)
{
    return died_of(e, DEATH_CRASH);
}

static bool ended_itself(const struct evidence *e)
{
    return died_of(e, DEATH_EXITED);
}

static bool is_php(struct slice comm)
{
    return slice_starts(comm, SLICE("php"));
}

/* The task that really had the memory, or NULL when the victim was the largest.  Another worker of
 * the pool must be clearly larger: they grow in turns. */
static const struct oom_task *real_hog(const struct evidence *e)
{
    if (!died_of(e, DEATH_OOM))
        return NULL;
    const struct oom *oom = GATEWAY_AT(e->gateway, ooms, oom, e->death->oom);

    for (int i = 0; i < 2; i++) {
        const struct oom_task *task = &oom->largest[i];
        int64_t more_than_kib =
            is_php(gateway_text(e->gateway, task->comm)) ? oom->rss_kib * 3 / 2 : oom->rss_kib;

        if (task->pid > 0 && task->pid != oom->pid && task->rss_kib > more_than_kib)
            return task;
    }
    return NULL;
}

/* Somebody else had more, or (without a dump) somebody else asked for memory while this worker was
 * no larger than its peers. */
static bool oom_killed_a_bystander(const struct evidence *e)
{
    if (!died_of(e, DEATH_OOM))
        return false;
    const struct oom *oom = GATEWAY_AT(e->gateway, ooms, oom, e->death->oom);

    if (real_hog(e))
        return true;
    return oom->largest[0].pid == 0 && oom->invoker &&
           !is_php(gateway_text(e->gateway, oom->invoker)) && e->death->peer_rss_kib > 0 &&
           e->death->rss_kib <= e->death->peer_rss_kib;
}

/* Only the kernel speaks of it: idle, or busy with what no log has. */
static bool oom_killed_whoever_it_served(const struct evidence *e)
{
    return died_of(e, DEATH_OOM) && !e->request && !e->death->request.method;
}

static bool oom_killed(const struct evidence *e)
{
    return died_of(e, DEATH_OOM);
}

static bool killed_itself(const struct evidence *e)
{
    return died_of(e, DEATH_KILLED) && e->death->killer == KILLER_SELF;
}

/* A fatal signal would have left a last word; the stream went on without this worker. */
static bool vanished(const struct evidence *e)
{
    return died_of(e, DEATH_LOST) && e->request && is_reset(e->php_fault) &&
           e->gateway->events_to_us > e->request->end_us + e->request->precision_us + SECOND_US;
}

/* Anything but SIGKILL cannot be the OOM killer; SIGKILL needs a kernel log that is silent. */
static bool killed_from_outside(const struct evidence *e)
{
    return died_of(e, DEATH_KILLED) &&
           (e->death->signo != 9 || (e->gateway->sources & SOURCE_KERNEL));
}

static bool killed_or_oom(const struct evidence *e)
{
    return died_of(e, DEATH_KILLED);
}

static bool varnish_could_not_use_answer(const struct evidence *e)
{
    bool answered = e->front_hop && e->back_hop && e->back_status > 0 && e->back_status < 499;

    return php_side_is_quiet(e) && (e->fetch || (answered && e->status == 503 && !e->proxy_fault));
}

static bool reset_without_death(const struct evidence *e)
{
    return !e->death && is_reset(e->php_fault) && e->restart;
}

static bool queued_when_pool_was_reloaded(const struct evidence *e)
{
    return reset_without_death(e) && e->restart->reason != REASON_RESTART;
}

static bool queued_when_pool_stopped(const struct evidence *e)
{
    return reset_without_death(e) ||
           (!e->death && is_reset(e->php_fault) && (e->down || e->fpm_gone_after));
}

static bool memory_limit_was_reached(const struct evidence *e)
{
    return !e->death &&
           ((e->php_end && e->php_end->memory_limit) || (e->php_said && e->php_said->memory_limit));
}

static bool php_ended_in_fatal_error(const struct evidence *e)
{
    return !e->death && (e->php_end || (e->php_said && e->php_said->php_fatal));
}

static bool nginx_gave_up_waiting(const struct evidence *e)
{
    if (e->death)
        return false;
    if (fault_is(e->php_fault, NGINX_READ_TIMEOUT) || fault_is(e->proxy_fault, NGINX_READ_TIMEOUT))
        return true;
    /* Without an error log: PHP was at it when nginx answered 504. */
    return !(e->gateway->sources & SOURCE_ERROR) && e->back_status == 504 && e->served;
}

static bool varnish_closed_idle_connection(const struct evidence *e)
{
    return php_side_is_quiet(e) && is_reset(e->proxy_fault) && !e->back_hop;
}

/* The following rules replace an error log that was not given by the workers' own record. */
static bool unexplained_502(const struct evidence *e)
{
    return !(e->gateway->sources & SOURCE_ERROR) && !e->death && e->back_hop &&
           e->back_status == 502 && (e->gateway->sources & SOURCE_EVENTS);
}

static bool workers_stayed_busy(const struct evidence *e)
{
    return !(e->gateway->sources & SOURCE_ERROR) && !e->death && e->back_hop && !e->served &&
           e->back_status == 504 && e->busy;
}

static bool all_workers_were_busy(const struct evidence *e)
{
    return unexplained_502(e) && !e->served && e->busy && !e->restart;
}

/* Refused at once, as opposed to cut off while it waited in the queue of a stopping PHP-FPM. */
static bool no_worker_existed(const struct evidence *e)
{
    bool at_once = e->duration_us >= 0 && e->duration_us < AT_ONCE_US;

    return unexplained_502(e) && !e->served && e->down && (at_once || !e->restart);
}

static bool nginx_hung_up_on_header(const struct evidence *e)
{
    return unexplained_502(e) && e->served && e->served->write_errno == 32;
}

static bool client_left(const struct evidence *e)
{
    return !e->death && e->status == 499 && !e->php_fault && !e->proxy_fault;
}

static bool application_answered(const struct evidence *e)
{
    return !e->death && !e->php_fault && !e->proxy_fault && !e->fetch && e->served &&
           e->served->status >= 500 && e->served->status == e->status;
}

static bool nothing_decides(const struct evidence *e)
{
    (void) e;
    return true;
}

typedef bool (*condition)(const struct evidence *);

#define VERDICT_RULE(verdict, condition, blame, reason, sentence, advice)                          \
    {VERDICT_##verdict, #condition, blame, reason, sentence, advice},
const struct gateway_rule gateway_rules[] = {
#include "analyze/gateway/verdicts.def"
    {0},
};

#define VERDICT_RULE(verdict, condition, blame, reason, sentence, advice) condition,
static const condition conditions[] = {
#include "analyze/gateway/verdicts.def"
};

const struct gateway_rule *decide(const struct evidence *evidence)
{
    size_t i = 0;

    while (!conditions[i](evidence))
        i++; /* the last one always holds */
    return &gateway_rules[i];
}

const struct oom_task *evidence_hog(const struct evidence *evidence)
{
    return real_hog(evidence);
}
