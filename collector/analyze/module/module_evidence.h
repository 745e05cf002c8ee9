/*
 * module_evidence.h - what the files of a module say about its name: registration.php and
 * etc/module.xml, read once per directory and remembered.
 *
 * The reading itself is a function of the caller (collector/ingest/module_files.h is the real
 * one), so that everything here can be tested without files.  Answers are kept in memory up to a
 * ceiling; module_evidence_forget() after a deploy.  Not thread-safe; off the request path only.
 */
#ifndef FPMSCOPE_ANALYZE_MODULE_MODULE_EVIDENCE_H
#define FPMSCOPE_ANALYZE_MODULE_MODULE_EVIDENCE_H

#include <stddef.h>
#include <sys/types.h>

#include "analyze/module/module_path.h"
#include "analyze/module/module_registration.h"

struct module_evidence;

/*
 * Read the beginning of file `path` into `buffer`; the number of bytes, or a negative errno when
 * there is no such regular file.  Must not block.
 */
typedef ssize_t (*module_read_fn)(void *context, const char *path, char *buffer, size_t size_bytes);

enum {
    MODULE_EVIDENCE_FILE_BYTES = 64 * 1024, /* of a file are looked at */
    MODULE_EVIDENCE_DIRECTORIES = 8192,     /* remembered; then all is forgotten */
    MODULE_EVIDENCE_CLIMB = 12,             /* directories looked at for one file */
};

/* NULL without memory. */
struct module_evidence *module_evidence_new(module_read_fn read, void *context);
void module_evidence_free(struct module_evidence *evidence); /* NULL is allowed */
void module_evidence_forget(struct module_evidence *evidence);

/*
 * The nearest registration.php or etc/module.xml in the directory of `path` or above it, in
 * directories of at least `floor` components.  MODULE_CLAIM_NONE when there is none, or when
 * `evidence` is NULL.
 */
enum module_claim_kind module_evidence_find(struct module_evidence *evidence,
                                            const struct module_path *path, size_t floor,
                                            struct module_claim *ret_claim);

#endif
