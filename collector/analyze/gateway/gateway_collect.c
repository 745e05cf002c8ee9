/* gateway_collect.c - which log lines are kept, and what is kept of them. */
#include <stdio.h>

#include "analyze/gateway/gateway_parts.h"
#include "model/uri_hash.h"

static text_id keep(struct gateway *gateway, struct slice text)
{
    return intern_put(&gateway->texts, text);
}

text_id keep_host(struct gateway *gateway, struct slice host)
{
    char text[256];
    size_t n = 0;
    bool bracket = host.len_bytes > 0 && host.ptr[0] == '['; /* [::1]:8080 */

    for (; n < host.len_bytes && n < sizeof text; n++) {
        char c = host.ptr[n];

        if (c == ':' && (!bracket || (n > 0 && host.ptr[n - 1] == ']')))
            break;
        text[n] = c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
    }
    return intern_put(&gateway->texts, (struct slice){text, n});
}

static struct line_ref ref_of(const struct log_event *log)
{
    return (struct line_ref){log->file, log->offset_bytes};
}

/* The line's time on the reference clock. */
static int64_t time_of(struct gateway *gateway, const struct log_event *log)
{
    int file = log->file >= 0 && log->file < GATEWAY_FILES_MAX ? log->file : 0;

    if (log->time_us < 0 || log->time_us > TIME_MAX_US)
        return -1;
    if (!gateway->file_seen[file] || log->time_us < gateway->file_from_us[file])
        gateway->file_from_us[file] = log->time_us;
    if (!gateway->file_seen[file] || log->time_us > gateway->file_to_us[file])
        gateway->file_to_us[file] = log->time_us;
    gateway->file_seen[file] = true;

    return log->time_us + gateway->clock_shift_us[file];
}

static int64_t precision_of(const struct log_event *log)
{
    bool said = log->time_precision_us > 0 && log->time_precision_us <= 60 * SECOND_US;

    return said ? log->time_precision_us : SECOND_US;
}

/* A line that was stored masked brings its hash along. */
static int64_t hash_of(const struct log_event *log)
{
    return log->uri_hash ? log->uri_hash : uri_hash_of_log(log);
}

static int64_t duration_of(int64_t duration_us)
{
    return duration_us >= 0 && duration_us <= DURATION_MAX_US ? duration_us : -1;
}

static bool access_is_bad(const struct log_access *access)
{
    if (access->status >= 500 || access->status == 499)
        return true;
    for (int i = 0; i < access->upstream_count; i++)
        if (access->upstream_status[i] >= 500)
            return true;
    return false;
}

/* Does this line's upstream speak HTTP (Varnish, another server) rather than FastCGI? */
static bool access_is_proxied(const struct log_access *access)
{
    if (slice_equal(access->handler, SLICE("varnish")))
        return true;
    return access->handler.len_bytes > 0 && slice_find(access->handler, SLICE("proxy")) >= 0;
}

static void add_hop(struct gateway *gateway, const struct log_event *log, int64_t time_us)
{
    const struct log_access *access = &log->access;
    struct hop *hop = array_add(&gateway->hops);

    if (!hop)
        return;
    hop->ref = ref_of(log);
    hop->end_us = time_us;
    hop->precision_us = precision_of(log);
    hop->duration_us = duration_of(access->request_time_us);
    hop->body_bytes = access->body_bytes;
    hop->method = keep(gateway, access->method);
    hop->uri = keep(gateway, access->uri);
    hop->uri_hash = hash_of(log);
    hop->host = keep_host(gateway, access->host);
    hop->ip = keep(gateway, access->remote_addr);
    hop->agent = keep(gateway, access->user_agent);
    hop->request_id = keep(gateway, access->request_id);
    hop->handler = keep(gateway, access->handler);
    hop->port = keep(gateway, access->port);
    hop->country = keep(gateway, access->country);
    hop->status = (int16_t) access->status;
    hop->upstream_count = (int16_t) access->upstream_count;
    for (int i = 0; i < access->upstream_count; i++)
        hop->upstream_status[i] = (int16_t) access->upstream_status[i];
    hop->proxied = access_is_proxied(access);
    hop->request = NONE;
}

static void on_access(struct gateway *gateway, const struct log_event *log, int64_t time_us)
{
    const struct log_access *access = &log->access;
    bool bad = access_is_bad(access);

    gateway->sources |= SOURCE_ACCESS;
    if (time_us < 0 || access->status < 0)
        return;
    if (gateway->access_from_us < 0 || time_us < gateway->access_from_us)
        gateway->access_from_us = time_us;
    if (time_us > gateway->access_to_us)
        gateway->access_to_us = time_us;
    int64_t duration_us = duration_of(access->request_time_us);
    int64_t from_us = time_us - (duration_us > 0 ? duration_us : 0);

    if (bad && (gateway->pass & GATEWAY_SCAN)) {
        if (gateway->pass & GATEWAY_GATHER)
            wanted_mark(gateway, access->uri, time_us);
        add_hop(gateway, log, time_us);
    } else if (!bad && (gateway->pass & GATEWAY_GATHER) &&
               wanted_has(gateway, access->uri, from_us, time_us)) {
        add_hop(gateway, log, time_us);
    }
}

/* Errors that explain a failure are kept at once, others only beside one. */
static bool fault_is_telling(const struct log_nginx_error *nginx, bool php_end)
{
    if (nginx->cause == NGINX_STDERR)
        return php_end;
    return nginx->cause != NGINX_OTHER;
}

static bool says_memory_limit(struct slice message)
{
    return slice_find(message, SLICE("Allowed memory size of")) >= 0;
}

static bool says_fatal(struct slice message)
{
    return slice_find(message, SLICE("PHP Fatal error")) >= 0 ||
           slice_find(message, SLICE("PHP Parse error")) >= 0 ||
           slice_find(message, SLICE("Uncaught ")) >= 0 || says_memory_limit(message);
}

static void on_nginx_error(struct gateway *gateway, const struct log_event *log, int64_t time_us)
{
    const struct log_nginx_error *nginx = &log->nginx;
    bool fatal = nginx->cause == NGINX_STDERR && says_fatal(nginx->message);
    bool telling = fault_is_telling(nginx, fatal);

    gateway->sources |= SOURCE_ERROR;
    if (time_us < 0 || nginx->uri.len_bytes == 0)
        return;
    if (telling ? !(gateway->pass & GATEWAY_SCAN)
                : !(gateway->pass & GATEWAY_GATHER) ||
                      !wanted_has(gateway, nginx->uri, time_us, time_us))
        return;
    struct fault *fault = array_add(&gateway->faults);

    if (!fault)
        return;
    *fault = (struct fault){
        .ref = ref_of(log),
        .time_us = time_us,
        .precision_us = precision_of(log),
        .cause = nginx->cause,
        .method = keep(gateway, nginx->method),
        .uri = keep(gateway, nginx->uri),
        .uri_hash = hash_of(log),
        .host = keep_host(gateway, nginx->host),
        .ip = keep(gateway, nginx->client),
        .upstream = keep(gateway, nginx->upstream),
        .message = keep(gateway, slice_head(nginx->message, 300)),
        .connection = nginx->connection,
        .fastcgi = nginx->fastcgi,
        .after_header = nginx->after_header,
        .memory_limit = fatal && says_memory_limit(nginx->message),
        .php_fatal = fatal,
        .request = NONE,
    };
}

/* "GET /index.php?x=1" -> "?x=1": the script is always the same, the query is the client's. */
static struct slice query_of(struct slice request)
{
    ptrdiff_t at = slice_index(request, '?');

    return at < 0 ? SLICE("?") : slice_skip(request, (size_t) at);
}

static void add_php_end(struct gateway *gateway, const struct log_event *log, int64_t time_us,
                        int64_t pid, struct slice message)
{
    if (time_us < 0 || !(gateway->pass & GATEWAY_SCAN) || !says_fatal(message))
        return;
    struct php_end *end = array_add(&gateway->php_ends);

    if (end)
        *end = (struct php_end){
            .ref = ref_of(log),
            .time_us = time_us,
            .precision_us = precision_of(log),
            .pid = pid,
            .message = keep(gateway, slice_head(message, 300)),
            .memory_limit = says_memory_limit(message),
            .request = NONE,
        };
}

static void on_fpm(struct gateway *gateway, const struct log_event *log, int64_t time_us)
{
    const struct log_fpm *fpm = &log->fpm;

    gateway->sources |= SOURCE_FPM;
    if (fpm->what == FPM_STDERR)
        add_php_end(gateway, log, time_us, fpm->pid > 0 ? fpm->pid : 0, fpm->message);
    if (time_us < 0 || !(gateway->pass & GATEWAY_SCAN) || fpm->what == FPM_OTHER ||
        fpm->what == FPM_STDERR || fpm->what == FPM_STARTED || fpm->what == FPM_STOPPED_TRACE ||
        fpm->what == FPM_SLOW)
        return;
    if (fpm->what == FPM_CHILD_EXIT && fpm->code == 0)
        return; /* recycled, or reloaded gracefully */
    struct fpm_note *note = array_add(&gateway->fpm_notes);

    if (note)
        *note = (struct fpm_note){
            .ref = ref_of(log),
            .time_us = time_us,
            .precision_us = precision_of(log),
            .pid = fpm->pid,
            .age_us = duration_of(fpm->age_us),
            .what = fpm->what,
            .signo = fpm->signo,
            .code = fpm->code,
            .limit = fpm->limit,
            .core = fpm->core,
            .pool = keep(gateway, fpm->pool),
            .query = fpm->what == FPM_TIMEOUT ? keep(gateway, query_of(fpm->request)) : 0,
        };
}

static void on_php_error(struct gateway *gateway, const struct log_event *log, int64_t time_us)
{
    gateway->sources |= SOURCE_PHP;
    if (log->php.memory_limit || log->php.uncaught ||
        slice_find(log->php.level, SLICE("Fatal")) >= 0 ||
        slice_find(log->php.level, SLICE("Parse")) >= 0) {
        struct slice line = log->line.len_bytes ? log->line : log->php.message;

        add_php_end(gateway, log, time_us, 0, says_fatal(line) ? line : log->php.message);
    }
}

/* From when on a block can speak of the request in which the worker died; it has whole seconds. */
static int64_t slow_since_us(const struct death *death)
{
    return death->request.method ? death->request.begin_us - SECOND_US
                                 : death->time_us - 600ll * SECOND_US;
}

/* A slow log block says where a request was that ended badly later: kept for the dead only. */
static void on_php_slow(struct gateway *gateway, const struct log_event *log, int64_t time_us)
{
    const struct log_php_slow *slow = &log->slow;

    if (!(gateway->pass & GATEWAY_GATHER) || time_us < 0 || slow->function.len_bytes == 0)
        return;
    for (size_t i = gateway->deaths.count; i-- > 0;) {
        struct death *death = gateway_death(gateway, i);

        if (death->pid != slow->pid || time_us > death->time_us + SECOND_US ||
            time_us < slow_since_us(death))
            continue;
        char where[512];
        int n = snprintf(where, sizeof where, "%.*s %.*s:%d", (int) slow->function.len_bytes,
                         slow->function.ptr, (int) slow->file.len_bytes,
                         slow->file.len_bytes ? slow->file.ptr : "", slow->line);

        death->slow = keep(
            gateway, slice_head((struct slice){where, sizeof where - 1}, n > 0 ? (size_t) n : 0));
        return;
    }
}

static void on_varnish(struct gateway *gateway, const struct log_event *log, int64_t time_us)
{
    const struct log_varnish *varnish = &log->varnish;

    if (log->kind == LOG_NCSA)
        return;
    gateway->sources |= SOURCE_VARNISH;
    if (!(gateway->pass & GATEWAY_SCAN) || time_us < 0 || varnish->fetch_error.len_bytes == 0)
        return;
    struct fetch *fetch = array_add(&gateway->fetches);

    if (!fetch)
        return;
    *fetch = (struct fetch){
        .ref = ref_of(log),
        .start_us = varnish->start_us >= 0 && varnish->start_us <= log->time_us
                        ? varnish->start_us + (time_us - log->time_us)
                        : time_us,
        .end_us = time_us,
        .method = keep(gateway, varnish->method),
        .uri = keep(gateway, varnish->uri),
        .host = keep_host(gateway, varnish->host),
        .request_id = keep(gateway, varnish->request_id),
        .client = keep(gateway, varnish->client),
        .error = keep(gateway, varnish->fetch_error),
        .received = keep(gateway, varnish->received),
        .backend = keep(gateway, varnish->backend_name),
        .status = varnish->status,
        .backend_side = varnish->backend,
        .request = NONE,
    };
}

static void on_varnishd(struct gateway *gateway, const struct log_event *log, int64_t time_us)
{
    if (!(gateway->pass & GATEWAY_SCAN) || log->varnishd.what == VARNISHD_OTHER ||
        log->varnishd.what == VARNISHD_CHILD_STARTED)
        return;
    struct varnish_note *note = array_add(&gateway->varnish_notes);

    if (note)
        *note = (struct varnish_note){
            .ref = ref_of(log),
            .time_us = time_us,
            .what = log->varnishd.what,
            .signo = log->varnishd.signo,
            .message = keep(gateway, slice_head(log->varnishd.message, 200)),
        };
}

typedef void (*log_handler)(struct gateway *, const struct log_event *, int64_t time_us);

static const log_handler handlers[LOG_KIND_COUNT] = {
    [LOG_ACCESS] = on_access,     [LOG_NGINX_ERROR] = on_nginx_error,
    [LOG_FPM] = on_fpm,           [LOG_PHP_ERROR] = on_php_error,
    [LOG_PHP_SLOW] = on_php_slow, [LOG_KERNEL] = collect_kernel,
    [LOG_VARNISH] = on_varnish,   [LOG_NCSA] = on_varnish,
    [LOG_VARNISHD] = on_varnishd,
};

void collect_log(struct gateway *gateway, const struct log_event *log)
{
    if ((unsigned) log->kind < LOG_KIND_COUNT && handlers[log->kind])
        handlers[log->kind](gateway, log, time_of(gateway, log));
}
