/* unwind_image.c - see unwind_image.h. */
#include "stack/unwind_image.h"

#include <link.h>
#include <stddef.h>

#include "banned.h"

struct search {
    uintptr_t pc;
    struct unwind_image image;
};

static struct unwind_span span_of(const struct dl_phdr_info *info, const ElfW(Phdr) * segment)
{
    const uintptr_t start = info->dlpi_addr + segment->p_vaddr;

    return (struct unwind_span){start, start + segment->p_filesz};
}

/* The loaded segment around `address`; empty when there is none. */
static struct unwind_span segment_around(const struct dl_phdr_info *info, uintptr_t address)
{
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const struct unwind_span span = span_of(info, &info->dlpi_phdr[i]);

        if (info->dlpi_phdr[i].p_type == PT_LOAD && address >= span.start && address < span.end)
            return span;
    }
    return (struct unwind_span){0, 0};
}

static int visit(struct dl_phdr_info *info, size_t size_bytes, void *argument)
{
    struct search *search = argument;

    (void) size_bytes;
    search->image = (struct unwind_image){.text = segment_around(info, search->pc)};
    if (search->image.text.end == 0)
        return 0;
    for (unsigned i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_GNU_EH_FRAME)
            search->image.header = span_of(info, &info->dlpi_phdr[i]).start;
    search->image.tables = segment_around(info, search->image.header);
    return 1;
}

bool unwind_image_find(uintptr_t pc, struct unwind_image *ret_image)
{
    struct search search = {.pc = pc};

    if (dl_iterate_phdr(visit, &search) == 0)
        return false;
    *ret_image = search.image;
    return true;
}

static int read_generation(struct dl_phdr_info *info, size_t size_bytes, void *argument)
{
    uint64_t *generation = argument;

    if (size_bytes >= offsetof(struct dl_phdr_info, dlpi_subs) + sizeof info->dlpi_subs)
        *generation = (uint64_t) info->dlpi_adds + (uint64_t) info->dlpi_subs;
    return 1; /* every entry says the same */
}

uint64_t unwind_image_generation(void)
{
    uint64_t generation = 0;

    dl_iterate_phdr(read_generation, &generation);
    return generation;
}
