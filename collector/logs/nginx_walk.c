/* nginx_walk.c - nginx.conf's words, blocks and includes. */
#include "logs/nginx_walk.h"

#include <fnmatch.h>
#include <stdlib.h>

#include "logs/scan.h"

struct section {
    struct slice name, body;
};

/* One walk over all files. */
struct walk {
    const struct nginx_visitor *visitor;
    struct nginx_walk_result result;
    struct section sections[NGINX_FILES_MAX];
    size_t sections_count;
    int depth;
};

/* One file that is being read. */
struct file {
    struct slice name;
    struct scan scan;
    int line;
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static void skip_line(struct scan *scan)
{
    while (scan->at < scan->end && *scan->at != '\n')
        scan->at++;
}

/* Blanks and comments. */
static void skip_space(struct file *file)
{
    struct scan *scan = &file->scan;

    while (scan->at < scan->end && (is_blank(*scan->at) || *scan->at == '#')) {
        if (*scan->at == '#') {
            skip_line(scan);
            continue;
        }
        file->line += *scan->at == '\n';
        scan->at++;
    }
}

static void take_quoted(struct file *file, struct nginx_word *word)
{
    struct scan *scan = &file->scan;
    char quote = *scan->at++;
    const char *first = scan->at;

    for (; scan->at < scan->end && *scan->at != quote; scan->at++) {
        file->line += *scan->at == '\n';
        if (*scan->at == '\\' && scan->at + 1 < scan->end)
            scan->at++;
    }
    *word = (struct nginx_word){.raw = scan_between(first, scan->at)};
    if (scan->at < scan->end)
        scan->at++;
}

/* Up to a blank, ; or {; the braces of ${name} belong to the word. */
static void take_bare(struct file *file, struct nginx_word *word)
{
    struct scan *scan = &file->scan;
    const char *first = scan->at;

    for (; scan->at < scan->end; scan->at++) {
        char byte = *scan->at;

        if (byte == '{' && scan->at > first && scan->at[-1] == '$') {
            while (scan->at < scan->end && *scan->at != '}' && !is_blank(*scan->at))
                scan->at++;
            if (scan->at == scan->end)
                break;
            continue;
        }
        if (is_blank(byte) || byte == ';' || byte == '{')
            break;
        if (byte == '\\' && scan->at + 1 < scan->end)
            scan->at++;
    }
    *word = (struct nginx_word){.raw = scan_between(first, scan->at)};
}

/* A Lua string or comment that begins here, stepped over: braces in it do not count. */
static bool skip_foreign_text(struct scan *scan)
{
    char quote = scan_peek(scan);

    if (scan_text(scan, SLICE("--"))) {
        skip_line(scan);
        return true;
    }
    if (quote != '"' && quote != '\'')
        return false;
    for (scan->at++; scan->at < scan->end && *scan->at != quote && *scan->at != '\n'; scan->at++) {
        if (*scan->at == '\\' && scan->at + 1 < scan->end)
            scan->at++;
    }
    (void) scan_byte(scan, quote);
    return true;
}

/* content_by_lua_block { ... }: another language, its braces counted. */
static void skip_foreign_block(struct file *file)
{
    struct scan *scan = &file->scan;

    for (int depth = 1; scan->at < scan->end && depth > 0;) {
        if (skip_foreign_text(scan))
            continue;
        depth += *scan->at == '{';
        depth -= *scan->at == '}';
        file->line += *scan->at == '\n';
        scan->at++;
    }
}

static bool is_foreign(const struct nginx_directive *directive)
{
    static const struct slice tail = {.ptr = "_by_lua_block", .len_bytes = 13};
    struct slice name = directive->words[0].raw;

    return name.len_bytes > tail.len_bytes &&
           slice_equal(slice_skip(name, name.len_bytes - tail.len_bytes), tail);
}

/* The words up to ; or {; false at the end of the file or at a }. */
static bool take_directive(struct file *file, struct nginx_directive *directive)
{
    struct scan *scan = &file->scan;
    struct nginx_word word;

    directive->count = 0;
    directive->opens = false;
    for (skip_space(file); !scan_done(scan) && *scan->at != '}'; skip_space(file)) {
        if (*scan->at == ';' || *scan->at == '{') {
            directive->opens = *scan->at++ == '{';
            if (directive->count > 0)
                return true;
            if (directive->opens)
                return false; /* a block without a name */
            continue;
        }
        if (directive->count == 0)
            directive->line = file->line;
        if (*scan->at == '"' || *scan->at == '\'')
            take_quoted(file, &word);
        else
            take_bare(file, &word);
        if (directive->count < NGINX_WORDS_MAX)
            directive->words[directive->count++] = word;
    }
    return false;
}

static void walk_file(struct walk *walk, const struct section *section, int include_depth);

/* The directory of the main file: what relative includes start from. */
static struct slice base_directory(const struct walk *walk)
{
    struct slice name = walk->sections[0].name;
    const char *slash = name.len_bytes ? memrchr(name.ptr, '/', name.len_bytes) : NULL;

    return slash ? scan_between(name.ptr, slash + 1) : (struct slice){0};
}

enum { PATH_BYTES = 1024 };

/* NUL-terminated, cut. */
static void put_path(struct slice path, char out[PATH_BYTES])
{
    path = slice_head(path, PATH_BYTES - 1);
    if (path.len_bytes > 0)
        memcpy(out, path.ptr, path.len_bytes);
    out[path.len_bytes] = '\0';
}

/* The pattern of an include, absolute as the names of the dump are. */
static void put_pattern(const struct walk *walk, const struct nginx_word *word,
                        char out[PATH_BYTES])
{
    struct slice base = base_directory(walk);

    out[0] = '\0';
    if (word->raw.len_bytes > 0 && word->raw.ptr[0] != '/')
        put_path(base, out);
    (void) nginx_word_text(word, out + strlen(out), PATH_BYTES - strlen(out));
}

static void follow_include(struct walk *walk, const struct nginx_directive *directive,
                           int include_depth)
{
    char pattern[PATH_BYTES], name[PATH_BYTES];
    bool found = false;

    if (directive->count < 2)
        return;
    put_pattern(walk, &directive->words[1], pattern);
    for (size_t i = 0; i < walk->sections_count && !walk->result.broken; i++) {
        put_path(walk->sections[i].name, name);
        if (name[0] == '\0' || fnmatch(pattern, name, FNM_PATHNAME | FNM_PERIOD) != 0)
            continue;
        found = true;
        walk_file(walk, &walk->sections[i], include_depth + 1);
    }
    /* a pattern may match nothing */
    if (!found && strpbrk(pattern, "*?[") == NULL)
        walk->result.missing_includes++;
}

static void handle(struct walk *walk, struct file *file, struct nginx_directive *directive,
                   int include_depth)
{
    directive->depth = walk->depth;
    directive->file = file->name;
    walk->result.directives++;
    if (!directive->opens && nginx_word_is(&directive->words[0], "include")) {
        follow_include(walk, directive, include_depth);
        return;
    }
    if (directive->opens && is_foreign(directive)) {
        skip_foreign_block(file);
        directive->opens = false;
    }
    walk->visitor->on_directive(walk->visitor->ctx, directive);
    walk->depth += directive->opens;
}

static void walk_file(struct walk *walk, const struct section *section, int include_depth)
{
    struct file file = {.name = section->name, .scan = scan_of(section->body), .line = 1};
    struct nginx_directive directive;
    int first_depth = walk->depth;

    if (include_depth > NGINX_INCLUDE_DEPTH_MAX)
        walk->result.broken = true;
    while (!walk->result.broken) {
        if (take_directive(&file, &directive)) {
            handle(walk, &file, &directive, include_depth);
            if (walk->depth > NGINX_DEPTH_MAX || walk->result.directives > NGINX_DIRECTIVES_MAX)
                walk->result.broken = true;
            continue;
        }
        if (!scan_byte(&file.scan, '}'))
            break;
        if (walk->depth == first_depth) { /* it closes what another file opened */
            walk->result.broken = true;
            break;
        }
        walk->visitor->on_close(walk->visitor->ctx, --walk->depth);
    }
    if (!scan_done(&file.scan) || walk->depth != first_depth)
        walk->result.broken = true;
}

/* "# configuration file /etc/nginx/nginx.conf:" */
static bool take_header(struct slice line, struct slice *ret_name)
{
    struct scan scan = scan_of(line);

    if (!scan_text(&scan, SLICE("# configuration file ")) || scan_left(&scan) < 2 ||
        scan.end[-1] != ':')
        return false;
    *ret_name = scan_between(scan.at, scan.end - 1);
    return true;
}

static void split_sections(struct walk *walk, struct slice text)
{
    struct section *open = NULL;
    struct slice rest = text, name;

    while (rest.len_bytes > 0) {
        ptrdiff_t newline = slice_index(rest, '\n');
        struct slice line = newline < 0 ? rest : slice_head(rest, (size_t) newline);
        const char *first = line.ptr;

        rest = slice_skip(rest, line.len_bytes + 1);
        if (!take_header(slice_trim(line), &name))
            continue;
        if (open)
            open->body = scan_between(open->body.ptr, first);
        open = NULL;
        if (walk->sections_count < NGINX_FILES_MAX) {
            open = &walk->sections[walk->sections_count++];
            *open = (struct section){.name = name, .body = rest};
        }
    }
    if (walk->sections_count == 0)
        walk->sections[walk->sections_count++] = (struct section){.body = text};
}

struct nginx_walk_result nginx_walk(struct slice text, const struct nginx_visitor *visitor)
{
    struct nginx_walk_result result = {.broken = true};
    struct walk *walk = calloc(1, sizeof *walk);

    if (!walk)
        return result;
    walk->visitor = visitor;
    split_sections(walk, text);
    walk_file(walk, &walk->sections[0], 0);
    result = walk->result;
    free(walk);
    return result;
}

size_t nginx_word_text(const struct nginx_word *word, char *out, size_t size)
{
    static const char from[] = "\"'\\trn", to[] = "\"'\\\t\r\n";
    size_t used = 0;

    if (size == 0)
        return 0;
    for (size_t i = 0; i < word->raw.len_bytes && used + 1 < size; i++) {
        char byte = word->raw.ptr[i];
        const char *hit = NULL;

        if (byte == '\\' && i + 1 < word->raw.len_bytes)
            hit = memchr(from, word->raw.ptr[i + 1], sizeof from - 1);
        if (hit) {
            byte = to[hit - from];
            i++;
        }
        out[used++] = byte;
    }
    out[used] = '\0';
    return used;
}

bool nginx_word_is(const struct nginx_word *word, const char *text)
{
    return slice_equal(word->raw, slice_of(text));
}
