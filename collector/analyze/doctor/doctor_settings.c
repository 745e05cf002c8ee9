/* doctor_settings.c - php-fpm's settings that turn one bad request into many bad answers. */
#include "analyze/doctor/doctor.h"

enum {
    CONTROL_TIMEOUT_ADVICE_S = 30,
    READ_TIMEOUT_DEFAULT_S = 60, /* nginx's fastcgi_read_timeout */
    READ_TIMEOUT_MARGIN_S = 10,
    MAX_REQUESTS_JUDGED = 256, /* a leak needs ten requests in workers older than 128 */
    MAX_REQUESTS_ADVICE = 1000,
    BACKLOG_DEFAULT = 511, /* php-fpm's own */
    BACKLOG_SMALL = 128,
    SOMAXCONN_ADVICE = 4096, /* the kernel's own since Linux 5.4 */
};

static const char *name_of(const struct doctor_pool *pool)
{
    return pool->name ? pool->name : "?";
}

/* True, and says so, when there is no pool to judge. */
static bool nothing_to_judge(const struct doctor_host *host, struct doctor_finding *finding)
{
    if (host->pools.count > 0)
        return false;
    doctor_skip(finding, "%s",
                host->masters.count ? "no pool's configuration could be read" : "no php-fpm runs");
    return true;
}

/* "unix:/run/php/fpm.sock" of nginx is "/run/php/fpm.sock" of php-fpm; addresses are alike. */
static bool passes_to(const struct doctor_hop *hop, const struct doctor_pool *pool)
{
    struct slice pass = slice_of(hop->pass ? hop->pass : "");

    if (slice_starts(pass, SLICE("unix:")))
        pass = slice_skip(pass, sizeof "unix:" - 1);
    if (pass.len_bytes > 0 && pass.ptr[pass.len_bytes - 1] == ':')
        pass = slice_head(pass, pass.len_bytes - 1);
    return pool->listen && slice_equal(pass, slice_of(pool->listen));
}

/* The longest that nginx waits for `pool`, NULL: for any; -1: nothing passes to it by its name. */
static int64_t longest_read_timeout_s(const struct doctor_host *host,
                                      const struct doctor_pool *pool)
{
    int64_t longest_s = -1;

    for (size_t i = 0; i < host->nginx.hops.count; i++) {
        const struct doctor_hop *hop = doctor_hop_at(host, i);

        if (hop->fastcgi && (!pool || passes_to(hop, pool)) && hop->read_timeout_s > longest_s)
            longest_s = hop->read_timeout_s;
    }
    return longest_s;
}

/* Through an upstream's name any hop may lead to the pool. */
static int64_t read_timeout_s(const struct doctor_host *host, const struct doctor_pool *pool)
{
    int64_t wait_s = longest_read_timeout_s(host, pool);

    if (wait_s <= 0)
        wait_s = longest_read_timeout_s(host, NULL);
    return wait_s > 0 ? wait_s : READ_TIMEOUT_DEFAULT_S;
}

void doctor_check_terminate_timeout(const struct doctor_host *host, struct doctor_finding *finding)
{
    if (nothing_to_judge(host, finding))
        return;
    for (size_t i = 0; i < host->pools.count; i++) {
        const struct doctor_pool *pool = doctor_pool_at(host, i);
        const int64_t wait_s = read_timeout_s(host, pool);

        if (pool->request_terminate_timeout_s > 0) {
            doctor_say(finding, "pool %s: request_terminate_timeout = %llds", name_of(pool),
                       (long long) pool->request_terminate_timeout_s);
            continue;
        }
        doctor_raise(finding, DOCTOR_WARN,
                     "pool %s: no request_terminate_timeout: a request that hangs holds its worker "
                     "for ever, nginx gives up after %llds",
                     name_of(pool), (long long) wait_s);
        doctor_fix_in(finding, name_of(pool), "request_terminate_timeout = %llds in pool ",
                      (long long) wait_s + READ_TIMEOUT_MARGIN_S);
    }
}

/* Judge every master whose configuration is known. */
static void each_master(const struct doctor_host *host, struct doctor_finding *finding,
                        void (*judge)(const struct doctor_master *, struct doctor_finding *))
{
    if (host->masters.count == 0)
        doctor_skip(finding, "no php-fpm runs");
    for (size_t i = 0; i < host->masters.count; i++) {
        const struct doctor_master *master = doctor_master_at(host, i);

        if (master->config)
            judge(master, finding);
        else
            doctor_skip(finding, "master %lld: its configuration is not known",
                        (long long) master->pid);
    }
}

static void judge_control_timeout(const struct doctor_master *master,
                                  struct doctor_finding *finding)
{
    if (master->process_control_timeout_s > 0) {
        doctor_say(finding, "master %lld: process_control_timeout = %llds", (long long) master->pid,
                   (long long) master->process_control_timeout_s);
        return;
    }
    doctor_raise(finding, DOCTOR_WARN,
                 "master %lld: process_control_timeout is 0: each reload answers 502 to all "
                 "requests in flight",
                 (long long) master->pid);
    doctor_fix_in(finding, master->config, "process_control_timeout = %ds in [global] of ",
                  CONTROL_TIMEOUT_ADVICE_S);
}

void doctor_check_control_timeout(const struct doctor_host *host, struct doctor_finding *finding)
{
    each_master(host, finding, judge_control_timeout);
}

static void judge_emergency_restart(const struct doctor_master *master,
                                    struct doctor_finding *finding)
{
    if (master->emergency_restart_threshold <= 0) {
        doctor_say(finding, "master %lld: no emergency_restart_threshold", (long long) master->pid);
        return;
    }
    doctor_raise(finding, DOCTOR_WARN,
                 "master %lld: %lld crashes in %llds restart all workers: 502 for requests that "
                 "did nothing wrong",
                 (long long) master->pid, (long long) master->emergency_restart_threshold,
                 (long long) master->emergency_restart_interval_s);
    doctor_fix_in(finding, master->config,
                  "fpmscope crashes names the request to repair; then emergency_restart_threshold "
                  "= 0 in [global] of ");
}

void doctor_check_emergency_restart(const struct doctor_host *host, struct doctor_finding *finding)
{
    each_master(host, finding, judge_emergency_restart);
}

void doctor_check_max_requests(const struct doctor_host *host, struct doctor_finding *finding)
{
    if (nothing_to_judge(host, finding))
        return;
    for (size_t i = 0; i < host->pools.count; i++) {
        const struct doctor_pool *pool = doctor_pool_at(host, i);
        const bool few = pool->max_requests > 0 && pool->max_requests < MAX_REQUESTS_JUDGED;

        if (pool->max_requests <= 0)
            doctor_say(finding,
                       "pool %s: pm.max_requests = 0: workers live until a restart, a leak "
                       "grows as long",
                       name_of(pool));
        else
            doctor_raise(finding, few ? DOCTOR_WARN : DOCTOR_OK,
                         "pool %s: pm.max_requests = %lld%s", name_of(pool),
                         (long long) pool->max_requests,
                         few ? ": workers end before a leak can be told from warming up" : "");
        if (few)
            doctor_fix_in(finding, name_of(pool), "pm.max_requests = %d in pool ",
                          MAX_REQUESTS_ADVICE);
    }
}

/* What the kernel makes of listen.backlog: -1 and too much become net.core.somaxconn. */
static int64_t effective_backlog(const struct doctor_host *host, int64_t asked)
{
    if (host->memory.somaxconn > 0 && (asked < 0 || asked > host->memory.somaxconn))
        return host->memory.somaxconn;
    return asked;
}

static void judge_backlog(const struct doctor_host *host, const struct doctor_pool *pool,
                          struct doctor_finding *finding)
{
    const int64_t asked = pool->listen_backlog == -1 ? BACKLOG_DEFAULT : pool->listen_backlog;
    const int64_t backlog = effective_backlog(host, asked);
    const int64_t wanted = pool->max_children > BACKLOG_SMALL ? pool->max_children : BACKLOG_SMALL;
    const int64_t advice = wanted > BACKLOG_DEFAULT ? wanted : BACKLOG_DEFAULT;

    if (backlog < 0) {
        doctor_skip(finding, "net.core.somaxconn cannot be read");
    } else if (backlog < wanted) {
        doctor_raise(
            finding, DOCTOR_WARN,
            "pool %s: %lld requests may wait (listen.backlog %lld, net.core.somaxconn %lld) "
            "for %lld workers; the next one gets 502",
            name_of(pool), (long long) backlog, (long long) asked,
            (long long) host->memory.somaxconn, (long long) pool->max_children);
        if (host->memory.somaxconn >= 0 && host->memory.somaxconn < wanted)
            doctor_fix_in(finding, name_of(pool),
                          "sysctl -w net.core.somaxconn=%lld, then restart php-fpm with "
                          "listen.backlog = %lld in pool ",
                          (long long) (advice > SOMAXCONN_ADVICE ? advice : SOMAXCONN_ADVICE),
                          (long long) advice);
        else
            doctor_fix_in(finding, name_of(pool),
                          "restart php-fpm with listen.backlog = %lld in pool ",
                          (long long) advice);
    } else {
        doctor_say(finding,
                   "pool %s: %lld requests may wait (listen.backlog %lld, net.core.somaxconn "
                   "%lld)",
                   name_of(pool), (long long) backlog, (long long) asked,
                   (long long) host->memory.somaxconn);
    }
}

void doctor_check_backlog(const struct doctor_host *host, struct doctor_finding *finding)
{
    if (nothing_to_judge(host, finding))
        return;
    for (size_t i = 0; i < host->pools.count; i++)
        judge_backlog(host, doctor_pool_at(host, i), finding);
}
