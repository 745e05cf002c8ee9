/* doctor_proc.c - lines, numbers and paths out of /proc. */
#include "analyze/doctor/doctor_proc.h"

bool doctor_next_line(struct slice *rest, struct slice *ret_line)
{
    const ptrdiff_t end = slice_index(*rest, '\n');

    if (rest->len_bytes == 0)
        return false;
    *ret_line = end < 0 ? *rest : slice_head(*rest, (size_t) end);
    *rest = slice_skip(*rest, ret_line->len_bytes + 1);
    return true;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\0' || byte == '\r';
}

bool doctor_next_word(struct slice *rest, struct slice *ret_word)
{
    size_t length = 0;

    while (rest->len_bytes > 0 && is_blank(rest->ptr[0]))
        *rest = slice_skip(*rest, 1);
    while (length < rest->len_bytes && !is_blank(rest->ptr[length]))
        length++;
    *ret_word = slice_head(*rest, length);
    *rest = slice_skip(*rest, length);
    return length > 0;
}

int64_t doctor_number(struct slice text)
{
    int64_t value = 0;

    for (size_t i = 0; i < text.len_bytes; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || value > (INT64_C(1) << 58))
            return -1;
        value = value * 10 + (text.ptr[i] - '0');
    }
    return text.len_bytes > 0 ? value : -1;
}

int64_t doctor_keyed_number(struct slice text, const char *key)
{
    struct slice line, word;

    while (doctor_next_line(&text, &line))
        if (doctor_next_word(&line, &word) && slice_equal(word, slice_of(key)))
            return doctor_next_word(&line, &word) ? doctor_number(word) : -1;
    return -1;
}

bool doctor_next_mapping(struct slice *rest, struct slice *ret_path, bool *ret_deleted)
{
    static const char deleted[] = " (deleted)";
    struct slice line;

    while (doctor_next_line(rest, &line)) {
        const ptrdiff_t slash = slice_index(line, '/');

        /* 55d0-55e0 r--p 00000000 08:01 1234  /usr/sbin/php-fpm8.2: no slash before the path. */
        if (slash < 0)
            continue;
        *ret_path = slice_skip(line, (size_t) slash);
        const size_t bare = ret_path->len_bytes - (sizeof deleted - 1);
        *ret_deleted = ret_path->len_bytes > sizeof deleted &&
                       memcmp(ret_path->ptr + bare, deleted, sizeof deleted - 1) == 0;
        if (*ret_deleted)
            ret_path->len_bytes = bare;
        return true;
    }
    return false;
}

struct slice doctor_base_name(struct slice path)
{
    for (size_t i = path.len_bytes; i > 0; i--)
        if (path.ptr[i - 1] == '/')
            return slice_skip(path, i);
    return path;
}

static struct slice trim_end(struct slice text)
{
    while (text.len_bytes > 0 && is_blank(text.ptr[text.len_bytes - 1]))
        text.len_bytes--;
    return text;
}

enum doctor_title doctor_fpm_title(struct slice title, struct slice *ret_what)
{
    static const struct slice master = SLICE("php-fpm: master process ("),
                              pool = SLICE("php-fpm: pool ");

    title = trim_end(title);
    *ret_what = (struct slice){0};
    if (slice_starts(title, master)) {
        *ret_what = slice_skip(title, master.len_bytes);
        if (ret_what->len_bytes > 0 && ret_what->ptr[ret_what->len_bytes - 1] == ')')
            ret_what->len_bytes--;
        return DOCTOR_TITLE_MASTER;
    }
    if (!slice_starts(title, pool))
        return DOCTOR_TITLE_OTHER;
    *ret_what = slice_skip(title, pool.len_bytes);
    return DOCTOR_TITLE_WORKER;
}

struct slice doctor_environment(struct slice environ, const char *name)
{
    const size_t length = strlen(name);

    while (environ.len_bytes > 0) {
        const ptrdiff_t end = slice_index(environ, '\0');
        const struct slice entry = end < 0 ? environ : slice_head(environ, (size_t) end);

        if (slice_starts(entry, slice_of(name)) && entry.len_bytes > length &&
            entry.ptr[length] == '=')
            return slice_skip(entry, length + 1);
        environ = slice_skip(environ, entry.len_bytes + 1);
    }
    return (struct slice){0};
}

struct slice doctor_option(struct slice command_line, char letter)
{
    struct slice word;

    while (doctor_next_word(&command_line, &word)) {
        if (word.len_bytes < 2 || word.ptr[0] != '-' || word.ptr[1] != letter)
            continue;
        if (word.len_bytes > 2)
            return slice_skip(word, 2);
        if (doctor_next_word(&command_line, &word))
            return word;
    }
    return (struct slice){0};
}

bool doctor_unix_listens(struct slice text, struct slice path)
{
    /* Num RefCount Protocol Flags Type St Inode Path; the flag of listeners is __SO_ACCEPTCON. */
    enum { FLAGS_COLUMN = 3, PATH_COLUMN = 7 };
    struct slice line, word;

    while (doctor_next_line(&text, &line)) {
        bool listens = false;

        for (int column = 0; column < PATH_COLUMN && doctor_next_word(&line, &word); column++)
            if (column == FLAGS_COLUMN)
                listens = slice_equal(word, SLICE("00010000"));
        line = slice_skip(line, 1); /* the path is all of the rest, blanks too */
        if (listens && slice_equal(line, path))
            return true;
    }
    return false;
}
