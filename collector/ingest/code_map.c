/* code_map.c - parse and search the executable rows of a process map. */
#include "ingest/code_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Take digits of `base` from the front of *text; false when there are none or too many. */
static bool take_number(struct slice *text, unsigned base, uint64_t *ret_value)
{
    uint64_t value = 0;
    size_t n = 0;

    for (; n < text->len_bytes; n++) {
        const char c = text->ptr[n];
        unsigned digit;

        if (c >= '0' && c <= '9')
            digit = (unsigned) (c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (unsigned) (c - 'a') + 10;
        else
            break;
        if (digit >= base || value > (UINT64_MAX - digit) / base)
            return false;
        value = value * base + digit;
    }
    *text = slice_skip(*text, n);
    *ret_value = value;
    return n > 0;
}

static bool take_byte(struct slice *text, char byte)
{
    if (text->len_bytes == 0 || text->ptr[0] != byte)
        return false;
    *text = slice_skip(*text, 1);
    return true;
}

static bool take_device(struct slice *text, struct code_row *row)
{
    uint64_t major, minor;

    if (!take_number(text, 16, &major) || !take_byte(text, ':') || !take_number(text, 16, &minor))
        return false;
    row->device_major = (uint32_t) major;
    row->device_minor = (uint32_t) minor;
    return true;
}

/* "start-end perms offset major:minor inode    path"; *ret_path is the rest of the row. */
static bool parse_row(struct slice text, struct code_row *row, bool *ret_executable,
                      struct slice *ret_path)
{
    enum { PERMS = 4 };

    if (!take_number(&text, 16, &row->start) || !take_byte(&text, '-') ||
        !take_number(&text, 16, &row->end) || !take_byte(&text, ' ') || text.len_bytes < PERMS)
        return false;
    *ret_executable = text.ptr[2] == 'x';
    text = slice_skip(text, PERMS);
    if (!take_byte(&text, ' ') || !take_number(&text, 16, &row->file_offset) ||
        !take_byte(&text, ' ') || !take_device(&text, row) || !take_byte(&text, ' ') ||
        !take_number(&text, 10, &row->inode))
        return false;
    while (take_byte(&text, ' '))
        ;
    *ret_path = text;
    return row->start < row->end;
}

/* Copy the path behind the others; the kernel's mark of an unlinked file becomes a flag. */
static const char *keep_path(struct slice path, char **at, bool *ret_deleted)
{
    static const char mark[] = " (deleted)";
    const size_t mark_len = sizeof mark - 1;
    char *kept = *at;

    *ret_deleted = path.len_bytes > mark_len &&
                   memcmp(path.ptr + path.len_bytes - mark_len, mark, mark_len) == 0;
    if (*ret_deleted)
        path.len_bytes -= mark_len;
    path.len_bytes = strnlen(path.ptr ? path.ptr : "", path.len_bytes);
    if (path.len_bytes > 0)
        memcpy(kept, path.ptr, path.len_bytes);
    kept[path.len_bytes] = '\0';
    *at += path.len_bytes + 1;
    return kept;
}

static void add_row(struct code_map *map, struct slice line, char **paths_end)
{
    struct code_row row = {.start = 0};
    struct slice path;
    bool executable;

    if (!parse_row(line, &row, &executable, &path)) {
        map->skipped++;
        return;
    }
    if (!executable)
        return;
    if (map->count == CODE_MAP_ROWS_MAX ||
        (map->count > 0 && row.start < map->rows[map->count - 1].end)) {
        map->skipped++;
        return;
    }
    row.path = keep_path(path, paths_end, &row.deleted);
    map->rows[map->count++] = row;
}

static size_t count_lines(struct slice text)
{
    size_t n = 1;

    for (size_t i = 0; i < text.len_bytes; i++)
        n += text.ptr[i] == '\n';
    return n;
}

int code_map_parse(struct slice text, struct code_map **ret_map)
{
    struct code_map *map = calloc(1, sizeof *map);
    char *paths_end;
    size_t lines;

    if (!map)
        return -ENOMEM;
    text = slice_head(text, CODE_MAP_TEXT_MAX_BYTES);
    lines = count_lines(text);
    map->rows = calloc(lines < CODE_MAP_ROWS_MAX ? lines : CODE_MAP_ROWS_MAX, sizeof *map->rows);
    map->paths = malloc(text.len_bytes + lines + 1);
    if (!map->rows || !map->paths) {
        code_map_free(map);
        return -ENOMEM;
    }
    paths_end = map->paths;
    while (text.len_bytes > 0) {
        const ptrdiff_t end = slice_index(text, '\n');
        const struct slice line = slice_head(text, end < 0 ? text.len_bytes : (size_t) end);

        if (line.len_bytes > 0)
            add_row(map, line, &paths_end);
        text = slice_skip(text, line.len_bytes + 1);
    }
    *ret_map = map;
    return 0;
}

/* All of `fd`, at most CODE_MAP_TEXT_MAX_BYTES; the caller frees *ret_text. */
static int read_all(int fd, char **ret_text, size_t *ret_len)
{
    size_t cap = 64 * 1024, len = 0;
    char *text = malloc(cap);
    ssize_t got = 1;

    if (!text)
        return -ENOMEM;
    while (got > 0 && len < CODE_MAP_TEXT_MAX_BYTES) {
        if (len == cap) {
            char *grown = realloc(text, cap * 2);

            if (!grown)
                break; /* what was read is whole rows and a piece that will be skipped */
            text = grown;
            cap *= 2;
        }
        got = read(fd, text + len, cap - len);
        if (got > 0)
            len += (size_t) got;
    }
    if (got < 0) {
        const int r = -errno;

        free(text);
        return r;
    }
    *ret_text = text;
    *ret_len = len;
    return 0;
}

int code_map_read(pid_t pid, struct code_map **ret_map)
{
    char path[64], *text = NULL;
    size_t len = 0;
    int fd, r;

    snprintf(path, sizeof path, "/proc/%d/maps", (int) pid);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    r = read_all(fd, &text, &len);
    close(fd);
    if (r == 0 && len == 0)
        r = -ESRCH; /* a zombie has no memory */
    if (r == 0)
        r = code_map_parse((struct slice){.ptr = text, .len_bytes = len}, ret_map);
    free(text);
    return r;
}

bool code_map_is_out_of_its_reach(pid_t pid)
{
    char path[64], root[2];
    ssize_t len;

    snprintf(path, sizeof path, "/proc/%d/root", (int) pid);
    len = readlink(path, root, sizeof root);
    return len > 0 && (len != 1 || root[0] != '/');
}

void code_map_free(struct code_map *map)
{
    if (!map)
        return;
    free(map->rows);
    free(map->paths);
    free(map);
}

const struct code_row *code_map_find(const struct code_map *map, uint64_t address)
{
    size_t low = 0, high = map ? map->count : 0;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct code_row *row = &map->rows[middle];

        if (address < row->start)
            high = middle;
        else if (address >= row->end)
            low = middle + 1;
        else
            return row;
    }
    return NULL;
}

struct slice code_row_library(const struct code_row *row)
{
    const char *slash = strrchr(row->path, '/');

    if (row->path[0] == '\0')
        return SLICE("[anon]");
    return slice_of(slash && slash[1] != '\0' ? slash + 1 : row->path);
}
