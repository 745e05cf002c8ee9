/* log_configs.c - a tokenizer for nginx's configuration, lines for php-fpm's. */
#include "logs/log_configs.h"

static bool is_file(struct slice path)
{
    return path.len_bytes > 1 && path.ptr[0] == '/' && slice_index(path, '$') < 0 &&
           !slice_starts(path, SLICE("/dev/")) && !slice_starts(path, SLICE("/proc/"));
}

static void give(struct slice path, log_config_fn on_path, void *ctx)
{
    if (is_file(path))
        on_path(ctx, path);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* ---- nginx -----------------------------------------------------------------------------------
 */

static void skip_blanks_and_comments(struct slice *text)
{
    while (text->len_bytes > 0 && (is_blank(text->ptr[0]) || text->ptr[0] == '#')) {
        if (text->ptr[0] == '#') {
            const ptrdiff_t end = slice_index(*text, '\n');

            *text = slice_skip(*text, end < 0 ? text->len_bytes : (size_t) end);
        } else {
            *text = slice_skip(*text, 1);
        }
    }
}

static struct slice take_quoted(struct slice *text)
{
    const char quote = text->ptr[0];
    size_t n = 1;

    while (n < text->len_bytes && text->ptr[n] != quote)
        n += text->ptr[n] == '\\' ? 2 : 1;
    if (n > text->len_bytes)
        n = text->len_bytes;
    const struct slice word = slice_skip(slice_head(*text, n), 1);
    *text = slice_skip(*text, n + 1);
    return word;
}

/* One of `;{}`, a quoted word without its quotes, or a plain word; empty at the end. */
static struct slice take_token(struct slice *text)
{
    size_t n = 0;

    skip_blanks_and_comments(text);
    if (text->len_bytes == 0)
        return *text;
    if (text->ptr[0] == '"' || text->ptr[0] == '\'')
        return take_quoted(text);
    while (n < text->len_bytes && !is_blank(text->ptr[n]) && !strchr(";{}", text->ptr[n]))
        n++;
    const struct slice token = slice_head(*text, n > 0 ? n : 1);
    *text = slice_skip(*text, token.len_bytes);
    return token;
}

static bool ends_statement(struct slice token)
{
    return token.len_bytes == 1 && token.ptr[0] && strchr(";{}", token.ptr[0]);
}

void log_config_nginx(struct slice text, log_config_fn on_path, void *ctx)
{
    bool at_start = true;

    while (text.len_bytes > 0) {
        const struct slice token = take_token(&text);

        if (at_start &&
            (slice_equal(token, SLICE("access_log")) || slice_equal(token, SLICE("error_log"))))
            give(take_token(&text), on_path, ctx);
        at_start = ends_statement(token);
    }
}

/* ---- php-fpm ---------------------------------------------------------------------------------
 */

static struct slice trim(struct slice text)
{
    while (text.len_bytes > 0 && is_blank(text.ptr[0]))
        text = slice_skip(text, 1);
    while (text.len_bytes > 0 && is_blank(text.ptr[text.len_bytes - 1]))
        text.len_bytes--;
    return text;
}

static struct slice unquote(struct slice text)
{
    if (text.len_bytes >= 2 && text.ptr[0] == '"' && text.ptr[text.len_bytes - 1] == '"')
        return slice_head(slice_skip(text, 1), text.len_bytes - 2);
    return text;
}

static bool names_a_log(struct slice key)
{
    static const struct slice keys[] = {
        {"error_log", 9},
        {"slowlog", 7},
        {"php_admin_value[error_log]", 26},
        {"php_value[error_log]", 20},
    };

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (slice_equal(key, keys[i]))
            return true;
    return false;
}

static void take_setting(struct slice line, log_config_fn on_path, void *ctx)
{
    const ptrdiff_t equals = slice_index(line, '=');

    if (equals < 0 || !names_a_log(trim(slice_head(line, (size_t) equals))))
        return;
    give(unquote(trim(slice_skip(line, (size_t) equals + 1))), on_path, ctx);
}

void log_config_fpm(struct slice text, log_config_fn on_path, void *ctx)
{
    while (text.len_bytes > 0) {
        const ptrdiff_t end = slice_index(text, '\n');
        const struct slice line = slice_head(text, end < 0 ? text.len_bytes : (size_t) end);

        if (line.len_bytes > 0 && line.ptr[0] != ';')
            take_setting(line, on_path, ctx);
        text = slice_skip(text, line.len_bytes + 1);
    }
}
