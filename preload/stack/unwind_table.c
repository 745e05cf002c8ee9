/* unwind_table.c - see unwind_table.h. */
#include "stack/unwind_table.h"

#include "banned.h"

/* Of .eh_frame_hdr: relative to the header, as every linker writes it. */
struct header_entry {
    int32_t function, fde;
};

enum {
    HEADER_BYTES = 12,
    HEADER_TABLE_ENCODING = 0x3b, /* sdata4, relative to the header */
    RECORD_EXTENDED = 0xfffffff0, /* lengths from here on are 64-bit formats */
};

static struct unwind_bytes bytes_from(const struct unwind_image *image, uintptr_t address)
{
    const bool is_inside = address >= image->tables.start && address < image->tables.end;

    return (struct unwind_bytes){.at = (const uint8_t *) address,
                                 .end = (const uint8_t *) (is_inside ? image->tables.end : address),
                                 .bad = !is_inside};
}

/* The entries, sorted by function; 0 when the header is of another kind than we know. */
static uint64_t header_count(const struct unwind_image *image)
{
    struct unwind_bytes bytes = bytes_from(image, image->header);
    const unsigned version = (unsigned) unwind_take_fixed(&bytes, 1);
    const unsigned frame_encoding = (unsigned) unwind_take_fixed(&bytes, 1);
    const unsigned count_encoding = (unsigned) unwind_take_fixed(&bytes, 1);
    const unsigned table_encoding = (unsigned) unwind_take_fixed(&bytes, 1);
    uint64_t count;

    unwind_take_fixed(&bytes, 4); /* where .eh_frame begins: the entries know better */
    count = unwind_take_fixed(&bytes, 4);
    if (bytes.bad || version != 1 || count_encoding != UNWIND_POINTER_UDATA4 ||
        table_encoding != HEADER_TABLE_ENCODING ||
        (frame_encoding & UNWIND_POINTER_FORMAT) != UNWIND_POINTER_SDATA4 ||
        count > (uint64_t) (bytes.end - bytes.at) / sizeof(struct header_entry))
        return 0;
    return count;
}

static struct header_entry header_at(const struct unwind_image *image, uint64_t index)
{
    struct header_entry entry;

    memcpy(&entry, (const void *) (image->header + HEADER_BYTES + index * sizeof entry),
           sizeof entry);
    return entry;
}

/* The last function that begins at `pc` or before: its FDE, 0 when there is none. */
static uintptr_t find_fde(const struct unwind_image *image, uintptr_t pc)
{
    uint64_t low = 0, high = header_count(image);

    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        const intptr_t function = header_at(image, middle).function;

        if (image->header + (uintptr_t) function <= pc)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? 0 : image->header + (uintptr_t) (intptr_t) header_at(image, low - 1).fde;
}

/* A record of .eh_frame without its length; empty and bad when it is none. */
static struct unwind_bytes record_at(const struct unwind_image *image, uintptr_t address)
{
    struct unwind_bytes bytes = bytes_from(image, address);
    const uint64_t len_bytes = unwind_take_fixed(&bytes, 4);

    if (len_bytes >= RECORD_EXTENDED)
        bytes.bad = true;
    return bytes.bad ? bytes : unwind_take_block(&bytes, len_bytes);
}

/* Each letter of the augmentation stands for a field; an unknown one ends what can be read. */
static void read_augmentation(struct unwind_bytes bytes, const char *letters,
                              struct unwind_program *program)
{
    for (; *letters && !bytes.bad; letters++) {
        unsigned encoding;

        if (*letters == 'S' || *letters == 'B')
            continue;
        if (*letters != 'R' && *letters != 'P' && *letters != 'L')
            return;
        encoding = (unsigned) unwind_take_fixed(&bytes, 1);
        if (*letters == 'R')
            program->pointer_encoding = (uint8_t) encoding;
        if (*letters == 'P')
            unwind_take_format(&bytes, encoding);
    }
}

/* `ret_sized`: its FDEs have an augmentation of their own, behind a length. */
static bool read_cie(const struct unwind_image *image, uintptr_t address,
                     struct unwind_program *program, bool *ret_sized)
{
    struct unwind_bytes bytes = record_at(image, address);
    const uint64_t id = unwind_take_fixed(&bytes, 4);
    const uint64_t version = unwind_take_fixed(&bytes, 1);
    const char *letters = (const char *) bytes.at;

    while (unwind_take_fixed(&bytes, 1) != 0)
        continue;
    if (bytes.bad || id != 0 || (version != 1 && version != 3))
        return false;
    program->code_step = unwind_take_unsigned(&bytes);
    program->data_step = unwind_take_signed(&bytes);
    program->ra_register =
        version == 1 ? unwind_take_fixed(&bytes, 1) : unwind_take_unsigned(&bytes);
    *ret_sized = *letters == 'z';
    if (*ret_sized)
        read_augmentation(unwind_take_block(&bytes, unwind_take_unsigned(&bytes)), letters + 1,
                          program);
    program->common = bytes;
    return !bytes.bad && (*ret_sized || *letters == '\0');
}

static bool read_fde(const struct unwind_image *image, uintptr_t address, uintptr_t pc,
                     struct unwind_program *program)
{
    struct unwind_bytes bytes = record_at(image, address);
    const uintptr_t place = (uintptr_t) bytes.at;
    const uint64_t cie_distance_bytes = unwind_take_fixed(&bytes, 4);
    uint64_t size_bytes;
    bool is_sized;

    if (bytes.bad || cie_distance_bytes == 0 ||
        !read_cie(image, place - cie_distance_bytes, program, &is_sized))
        return false;
    program->begin = unwind_take_pointer(&bytes, program->pointer_encoding);
    size_bytes = unwind_take_format(&bytes, program->pointer_encoding);
    if (is_sized)
        unwind_take_block(&bytes, unwind_take_unsigned(&bytes));
    program->own = bytes;
    return !bytes.bad && pc >= program->begin && pc - program->begin < size_bytes;
}

bool unwind_table_covers(const struct unwind_image *image, uintptr_t pc)
{
    struct unwind_program program = {.begin = 0};
    const uintptr_t fde = find_fde(image, pc);

    return fde != 0 && read_fde(image, fde, pc, &program);
}

bool unwind_table_row(const struct unwind_image *image, uintptr_t pc, struct unwind_row *ret_row)
{
    struct unwind_program program = {.begin = 0};
    const uintptr_t fde = find_fde(image, pc);

    return fde != 0 && read_fde(image, fde, pc, &program) &&
           unwind_program_run(&program, pc, ret_row);
}
