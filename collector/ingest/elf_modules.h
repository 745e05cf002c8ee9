/*
 * elf_modules.h - the ELF files behind a code map, opened for libdw.  Runs in a reader_child only.
 *
 * A file is opened only when it is what the worker had mapped and nobody but root could have
 * written it: absolute path, no symbolic link anywhere in it, regular, owned by root and writable
 * by root alone, of bounded size, and the same inode as the row says.  A file that fails costs its
 * names and its unwind tables, nothing else.
 */
#ifndef FPMSCOPE_INGEST_ELF_MODULES_H
#define FPMSCOPE_INGEST_ELF_MODULES_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stdint.h>

#include "ingest/code_map.h"

enum { ELF_FILE_MAX_BYTES = 512 << 20 };

/* A session with every module of `map` that could be opened; NULL when libdw cannot. */
Dwfl *elf_modules_open(const struct code_map *map);

#endif
