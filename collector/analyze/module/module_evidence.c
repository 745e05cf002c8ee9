/* module_evidence.c - climb from a file to its component, remembering every directory passed. */
#include "analyze/module/module_evidence.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/idmap.h"
#include "base/intern.h"

struct module_evidence {
    module_read_fn read;
    void *context;
    struct idmap directories; /* hash of a directory's path -> index of its claim, 0: none */
    struct module_claim *claims;
    uint32_t count;
    char file[MODULE_EVIDENCE_FILE_BYTES];
};

struct module_evidence *module_evidence_new(module_read_fn read, void *context)
{
    struct module_evidence *evidence = calloc(1, sizeof *evidence);

    if (!evidence)
        return NULL;
    evidence->read = read;
    evidence->context = context;
    evidence->claims = calloc(MODULE_EVIDENCE_DIRECTORIES, sizeof *evidence->claims);
    idmap_init(&evidence->directories, MODULE_EVIDENCE_DIRECTORIES);
    if (!evidence->claims) {
        module_evidence_free(evidence);
        return NULL;
    }
    module_evidence_forget(evidence);
    return evidence;
}

void module_evidence_free(struct module_evidence *evidence)
{
    if (!evidence)
        return;
    idmap_release(&evidence->directories);
    free(evidence->claims);
    free(evidence);
}

void module_evidence_forget(struct module_evidence *evidence)
{
    idmap_release(&evidence->directories);
    idmap_init(&evidence->directories, MODULE_EVIDENCE_DIRECTORIES);
    evidence->claims[0] = (struct module_claim){.kind = MODULE_CLAIM_NONE};
    evidence->count = 1;
}

/* The text of `directory`/`name`; empty when it cannot be read. */
static struct slice read_file(struct module_evidence *evidence, struct slice directory,
                              const char *name)
{
    char path[MODULE_PATH_BYTES + 32];
    ssize_t n;

    snprintf(path, sizeof path, "%.*s/%s", (int) directory.len_bytes, directory.ptr, name);
    n = evidence->read(evidence->context, path, evidence->file, sizeof evidence->file);
    return (struct slice){.ptr = evidence->file, .len_bytes = n > 0 ? (size_t) n : 0};
}

static void read_claim(struct module_evidence *evidence, struct slice directory,
                       struct module_claim *ret_claim)
{
    struct module_claim xml;

    module_registration_parse(read_file(evidence, directory, "registration.php"), ret_claim);
    if (ret_claim->kind != MODULE_CLAIM_NONE && ret_claim->name[0] != '\0')
        return;
    module_xml_parse(read_file(evidence, directory, "etc/module.xml"), &xml);
    if (xml.kind != MODULE_CLAIM_NONE)
        *ret_claim = xml;
}

/* Remember `claim`; all directories without one share the first. */
static void remember(struct module_evidence *evidence, uint64_t key,
                     const struct module_claim *claim)
{
    uint32_t index = 0;

    if (claim->kind != MODULE_CLAIM_NONE) {
        index = evidence->count++;
        evidence->claims[index] = *claim;
    }
    idmap_put(&evidence->directories, key, index); /* no memory: read again next time */
}

static const struct module_claim *claim_of(struct module_evidence *evidence, struct slice directory,
                                           struct module_claim *scratch)
{
    const uint64_t key = intern_hash(directory);
    uint32_t index;

    if (idmap_get(&evidence->directories, key, &index))
        return &evidence->claims[index];
    read_claim(evidence, directory, scratch);
    if (evidence->directories.count + 1 >= MODULE_EVIDENCE_DIRECTORIES ||
        evidence->count == MODULE_EVIDENCE_DIRECTORIES)
        module_evidence_forget(evidence);
    remember(evidence, key, scratch);
    return scratch;
}

enum module_claim_kind module_evidence_find(struct module_evidence *evidence,
                                            const struct module_path *path, size_t floor,
                                            struct module_claim *ret_claim)
{
    *ret_claim = (struct module_claim){.kind = MODULE_CLAIM_NONE};
    /* A NUL would make the system open another file than the one that is named. */
    if (!evidence || memchr(path->text, '\0', path->len_bytes))
        return MODULE_CLAIM_NONE;
    for (size_t depth = path->count, climbed = 0;
         depth > floor && depth > 1 && climbed < MODULE_EVIDENCE_CLIMB; depth--, climbed++) {
        const struct slice last = path->parts[depth - 2];
        const struct slice directory = {
            .ptr = path->text, .len_bytes = (size_t) (last.ptr - path->text) + last.len_bytes};
        struct module_claim scratch;

        *ret_claim = *claim_of(evidence, directory, &scratch);
        if (ret_claim->kind != MODULE_CLAIM_NONE)
            break;
    }
    return ret_claim->kind;
}
