/* elf_modules.c - open files that root alone can write, and tell libdwfl where they lay. */
#include "ingest/elf_modules.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int open_without_links(const char *path)
{
    struct open_how how = {
        .flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
        .resolve = RESOLVE_NO_SYMLINKS,
    };
    const long fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);

    if (fd < 0 && errno == ENOSYS) /* before Linux 5.6 */
        return open(path, (int) how.flags);
    return (int) fd;
}

static bool is_what_was_mapped(const struct code_row *row, const struct stat *file)
{
    /* File systems with layers show another device to stat() than in maps: then the inode says
     * nothing, and the path must do. */
    if (major(file->st_dev) != row->device_major || minor(file->st_dev) != row->device_minor)
        return true;
    return file->st_ino == row->inode;
}

/* Root's files, and those of the user who runs the collector: a user's own php-fpm is built by that
 * user.  Under a collector of root this is the child's uid, nobody, who owns nothing. */
static bool is_owner_trusted(const struct stat *file)
{
    return (file->st_uid == 0 || file->st_uid == geteuid()) &&
           (file->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* Descriptor of the row's file, or -1 by the rules of elf_modules.h. */
static int elf_file_open(const struct code_row *row)
{
    struct stat file;
    int fd;

    if (row->path[0] != '/' || row->deleted)
        return -1;
    fd = open_without_links(row->path);
    if (fd < 0)
        return -1;
    if (fstat(fd, &file) == 0 && S_ISREG(file.st_mode) && is_owner_trusted(&file) &&
        file.st_size <= ELF_FILE_MAX_BYTES && is_what_was_mapped(row, &file))
        return fd;
    close(fd);
    return -1;
}

/*
 * Where the file's first segment lies in memory, from where one of its executable rows does.  Both
 * sides of the subtraction are taken at the page of the segment, as the loader maps it.
 */
static bool find_base(Elf *elf, const struct code_row *row, GElf_Addr *ret_base)
{
    GElf_Addr first = 0, bias = 0;
    bool has_first = false, has_bias = false;
    size_t count;

    if (elf_getphdrnum(elf, &count) != 0)
        return false;
    for (size_t i = 0; i < count && i < 128; i++) {
        GElf_Phdr segment;

        if (!gelf_getphdr(elf, (int) i, &segment) || segment.p_type != PT_LOAD)
            continue;
        const GElf_Off align = segment.p_align > 1 ? segment.p_align : 1;
        const GElf_Off start = segment.p_offset & ~(align - 1);

        if (!has_first) {
            first = segment.p_vaddr & ~(align - 1);
            has_first = true;
        }
        if (!has_bias && (segment.p_flags & PF_X) && row->file_offset >= start &&
            row->file_offset < segment.p_offset + segment.p_filesz) {
            bias = row->start - (row->file_offset - segment.p_offset + segment.p_vaddr);
            has_bias = true;
        }
    }
    *ret_base = bias + first;
    return has_first && has_bias;
}

static void report_module(Dwfl *dwfl, const struct code_row *row)
{
    const int fd = elf_file_open(row);
    GElf_Addr base;
    bool found;
    Elf *elf;

    if (fd < 0)
        return;
    elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    found = elf && find_base(elf, row, &base);
    elf_end(elf);
    if (!found || !dwfl_report_elf(dwfl, row->path, row->path, fd, base, false))
        close(fd);
}

/* A file may have several executable rows, mprotect() splits them: the first one stands for all. */
static bool is_repetition(const struct code_map *map, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (map->rows[i].inode == map->rows[index].inode &&
            strcmp(map->rows[i].path, map->rows[index].path) == 0)
            return true;
    return false;
}

static int find_no_elf(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
                       char **ret_file, Elf **ret_elf)
{
    (void) module, (void) userdata, (void) name, (void) base, (void) ret_file, (void) ret_elf;
    return -1;
}

Dwfl *elf_modules_open(const struct code_map *map)
{
    /* Debug packages, never a path relative to the library's. */
    static char debug_directory[] = "/usr/lib/debug";
    static char *debug_path = debug_directory;
    static const Dwfl_Callbacks callbacks = {
        .find_elf = find_no_elf,
        .find_debuginfo = dwfl_standard_find_debuginfo,
        .debuginfo_path = &debug_path,
    };
    Dwfl *dwfl;

    elf_version(EV_CURRENT);
    dwfl = dwfl_begin(&callbacks);
    if (!dwfl)
        return NULL;
    dwfl_report_begin(dwfl);
    for (size_t i = 0; i < map->count; i++)
        if (!is_repetition(map, i))
            report_module(dwfl, &map->rows[i]);
    dwfl_report_end(dwfl, NULL, NULL);
    return dwfl;
}
