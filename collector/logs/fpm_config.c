/* fpm_config.c - php-fpm's INI files and the output of `php-fpm -tt`, line by line. */
#include "logs/fpm_config.h"

#include "logs/log_time.h"
#include "logs/scan.h"

typedef void (*option_setter)(void *member, struct slice value, const char *pool);

/* Copied and cut; $pool is the pool's name, as php-fpm has it. */
static void set_text(void *member, struct slice value, const char *pool)
{
    char *out = member;
    size_t used = 0, pool_bytes = strlen(pool);
    struct scan scan = scan_of(value);

    while (!scan_done(&scan) && used + 1 < FPM_TEXT_BYTES) {
        if (scan_text(&scan, SLICE("$pool"))) {
            size_t n =
                pool_bytes < FPM_TEXT_BYTES - 1 - used ? pool_bytes : FPM_TEXT_BYTES - 1 - used;

            memcpy(out + used, pool, n);
            used += n;
        } else {
            out[used++] = *scan.at++;
        }
    }
    out[used] = '\0';
}

static void set_number(void *member, struct slice value, const char *pool)
{
    (void) pool;
    (void) scan_whole_int(value, member);
}

/* 10, 10s, 5m, 2h, 1d */
static void set_seconds(void *member, struct slice value, const char *pool)
{
    struct scan scan = scan_of(value);
    int64_t amount, unit_s = 1;

    (void) pool;
    if (!scan_int(&scan, &amount) || amount < 0)
        return;
    if (scan_byte(&scan, 'm'))
        unit_s = 60;
    else if (scan_byte(&scan, 'h'))
        unit_s = 3600;
    else if (scan_byte(&scan, 'd'))
        unit_s = 86400;
    else
        (void) scan_byte(&scan, 's');
    if (scan_done(&scan) && amount <= INT64_MAX / unit_s)
        *(int64_t *) member = amount * unit_s;
}

/* 128M, 1G, 2097152, -1 (no limit) */
static void set_size(void *member, struct slice value, const char *pool)
{
    struct scan scan = scan_of(value);
    int64_t amount, unit_bytes = 1;

    (void) pool;
    if (!scan_int(&scan, &amount))
        return;
    if (scan_byte(&scan, 'K') || scan_byte(&scan, 'k'))
        unit_bytes = 1LL << 10;
    else if (scan_byte(&scan, 'M') || scan_byte(&scan, 'm'))
        unit_bytes = 1LL << 20;
    else if (scan_byte(&scan, 'G') || scan_byte(&scan, 'g'))
        unit_bytes = 1LL << 30;
    if (amount < 0)
        *(int64_t *) member = 0;
    else if (amount <= INT64_MAX / unit_bytes)
        *(int64_t *) member = amount * unit_bytes;
}

static void set_flag(void *member, struct slice value, const char *pool)
{
    static const struct slice yes[] = {{"yes", 3}, {"1", 1}, {"on", 2}, {"true", 4}};

    (void) pool;
    *(int64_t *) member = 0;
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (value.len_bytes == yes[i].len_bytes &&
            strncasecmp(value.ptr, yes[i].ptr, value.len_bytes) == 0)
            *(int64_t *) member = 1;
    }
}

static void set_manager(void *member, struct slice value, const char *pool)
{
    enum fpm_manager *manager = member;

    (void) pool;
    if (slice_equal(value, SLICE("static")))
        *manager = FPM_STATIC;
    else if (slice_equal(value, SLICE("dynamic")))
        *manager = FPM_DYNAMIC;
    else if (slice_equal(value, SLICE("ondemand")))
        *manager = FPM_ONDEMAND;
}

struct option_row {
    const char *name;
    option_setter set;
    size_t offset_bytes;
};

static const struct option_row global_rows[] = {
#define FPM_GLOBAL(text, setter, member)                                                           \
    {.name = (text), .set = setter, .offset_bytes = offsetof(struct fpm_config, member)},
#include "logs/fpm_options.def"
};

static const struct option_row pool_rows[] = {
#define FPM_POOL(text, setter, member)                                                             \
    {.name = (text), .set = setter, .offset_bytes = offsetof(struct fpm_pool, member)},
#include "logs/fpm_options.def"
};

static void pool_init(struct fpm_pool *pool, struct slice name)
{
    *pool = (struct fpm_pool){
        .listen_backlog = -1,
        .max_children = -1,
        .start_servers = -1,
        .min_spare_servers = -1,
        .max_spare_servers = -1,
        .max_requests = -1,
        .process_idle_timeout_s = -1,
        .request_slowlog_timeout_s = -1,
        .request_terminate_timeout_s = -1,
        .memory_limit_bytes = -1,
        .clear_env = -1,
    };
    set_text(pool->name, name, "");
}

void fpm_config_init(struct fpm_config *config)
{
    *config = (struct fpm_config){
        .process_control_timeout_s = -1,
        .emergency_restart_threshold = -1,
        .emergency_restart_interval_s = -1,
    };
}

static struct fpm_pool *find_pool(struct fpm_config *config, struct slice name)
{
    for (size_t i = 0; i < config->pools_count; i++) {
        if (slice_equal(slice_of(config->pools[i].name), slice_head(name, FPM_TEXT_BYTES - 1)))
            return &config->pools[i];
    }
    return NULL;
}

const struct fpm_pool *fpm_config_pool(const struct fpm_config *config, const char *name)
{
    for (size_t i = 0; i < config->pools_count; i++) {
        if (strcmp(config->pools[i].name, name) == 0)
            return &config->pools[i];
    }
    return NULL;
}

/* The pool of a [section]; NULL when there are too many, and its options are passed over. */
static struct fpm_pool *enter_pool(struct fpm_config *config, struct slice name)
{
    struct fpm_pool *pool = find_pool(config, name);

    if (pool)
        return pool;
    if (config->pools_count == FPM_POOLS_MAX) {
        config->skipped++;
        return NULL;
    }
    pool = &config->pools[config->pools_count++];
    pool_init(pool, name);
    return pool;
}

static void add_include(struct fpm_config *config, struct slice value)
{
    if (config->includes_count == FPM_INCLUDES_MAX)
        config->skipped++;
    else
        set_text(config->includes[config->includes_count++], value, "");
}

static void set_option(const struct option_row *rows, size_t count, void *base, struct slice name,
                       struct slice value, const char *pool)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(slice_of(rows[i].name), name))
            rows[i].set((char *) base + rows[i].offset_bytes, value, pool);
    }
}

/* "value" or 'value' -> value; what -tt calls undefined is nothing */
static struct slice bare_value(struct slice value)
{
    value = slice_trim(value);
    if (value.len_bytes >= 2 && (value.ptr[0] == '"' || value.ptr[0] == '\'') &&
        value.ptr[value.len_bytes - 1] == value.ptr[0])
        return slice_head(slice_skip(value, 1), value.len_bytes - 2);
    if (slice_equal(value, SLICE("undefined")))
        value.len_bytes = 0;
    return value;
}

/* "[22-Nov-2026 08:08:59] NOTICE: " in front of what -tt prints */
static struct slice without_stamp(struct slice line)
{
    static const struct log_context context; /* the date itself is of no interest */
    struct scan scan = scan_of(line);
    struct log_time time;

    if (scan_byte(&scan, '[') && log_time_php(&scan, &context, &time) &&
        scan_text(&scan, SLICE("] NOTICE: ")))
        return scan_rest(&scan);
    return line;
}

/* Where a ; begins a comment: at the start, or behind a blank. */
static struct slice without_comment(struct slice line)
{
    char quote = '\0';

    for (size_t i = 0; i < line.len_bytes; i++) {
        char byte = line.ptr[i];

        if (quote)
            quote = byte == quote ? '\0' : quote;
        else if (byte == '"' || byte == '\'')
            quote = byte;
        else if (byte == ';' && (i == 0 || line.ptr[i - 1] == ' ' || line.ptr[i - 1] == '\t'))
            return slice_head(line, i);
    }
    return line;
}

bool fpm_config_setting(struct slice line, struct slice *ret_name, struct slice *ret_value)
{
    struct scan scan = scan_of(slice_trim(without_comment(without_stamp(line))));
    struct slice name;

    if (!scan_until(&scan, '=', &name))
        return false;
    *ret_name = slice_trim(name);
    *ret_value = bare_value(scan_rest(&scan));
    return true;
}

/* One line; `*pool` is the section that it stands in, NULL for [global]. */
static void take_line(struct fpm_config *config, struct slice line, struct fpm_pool **pool,
                      bool *in_global)
{
    struct scan scan = scan_of(slice_trim(without_comment(without_stamp(line))));
    struct slice name, value;

    if (scan_byte(&scan, '[') && scan_until(&scan, ']', &name) && scan_done(&scan)) {
        *in_global = slice_equal(name, SLICE("global"));
        *pool = *in_global ? NULL : enter_pool(config, name);
        return;
    }
    if (!fpm_config_setting(line, &name, &value))
        return;
    if (slice_equal(name, SLICE("include")))
        add_include(config, value);
    else if (*in_global)
        set_option(global_rows, sizeof global_rows / sizeof global_rows[0], config, name, value,
                   "");
    else if (*pool)
        set_option(pool_rows, sizeof pool_rows / sizeof pool_rows[0], *pool, name, value,
                   (*pool)->name);
}

void fpm_config_parse(struct fpm_config *config, struct slice text)
{
    struct fpm_pool *pool = NULL;
    bool in_global = true; /* options before any section are global */

    while (text.len_bytes > 0) {
        ptrdiff_t newline = slice_index(text, '\n');
        struct slice line = newline < 0 ? text : slice_head(text, (size_t) newline);

        take_line(config, line, &pool, &in_global);
        text = slice_skip(text, line.len_bytes + 1);
    }
}
