/* native_frame.c - parse and print named native frames. */
#include "ingest/native_frame.h"

#include <inttypes.h>

static bool take_field(struct slice *line, struct slice *ret_field)
{
    const ptrdiff_t tab = slice_index(*line, '\t');

    if (tab < 0)
        return false;
    *ret_field = slice_head(*line, (size_t) tab);
    *line = slice_skip(*line, (size_t) tab + 1);
    return true;
}

static bool parse_hex(struct slice text, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (text.len_bytes == 0 || text.len_bytes > 16)
        return false;
    for (size_t i = 0; i < text.len_bytes; i++) {
        const char c = text.ptr[i];

        if (c >= '0' && c <= '9')
            value = value << 4 | (uint64_t) (c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (uint64_t) (c - 'a' + 10);
        else
            return false;
    }
    *ret_value = value;
    return true;
}

bool native_frame_parse(struct slice line, struct native_frame *ret_frame)
{
    struct native_frame frame = {.kind = NATIVE_FRAME_BARE};
    struct slice kind, offset;

    if (!take_field(&line, &kind) || !take_field(&line, &offset) ||
        !take_field(&line, &frame.shared_object) || slice_index(line, '\t') >= 0)
        return false;
    frame.symbol = line;
    if (kind.len_bytes != 1 || !parse_hex(offset, &frame.offset) ||
        frame.shared_object.len_bytes > NATIVE_FRAME_LIBRARY_BYTES ||
        frame.symbol.len_bytes > NATIVE_FRAME_SYMBOL_BYTES)
        return false;
    frame.kind = kind.ptr[0];
    if (frame.kind != NATIVE_FRAME_BARE &&
        ((frame.kind != NATIVE_FRAME_IN && frame.kind != NATIVE_FRAME_NEAR) ||
         frame.symbol.len_bytes == 0 || frame.shared_object.len_bytes == 0))
        return false;
    *ret_frame = frame;
    return true;
}

static void add_hex(struct text_out *out, uint64_t value)
{
    char digits[24];

    snprintf(digits, sizeof digits, "0x%" PRIx64, value);
    text_out_add(out, slice_of(digits));
}

void native_frame_place(const struct native_frame *frame, struct text_out *out)
{
    if (frame->shared_object.len_bytes > 0) {
        text_out_printable(out, frame->shared_object);
        text_out_byte(out, '+');
    }
    add_hex(out, frame->offset);
}

void native_frame_text(const struct native_frame *frame, struct text_out *out)
{
    if (frame->kind == NATIVE_FRAME_BARE) {
        native_frame_place(frame, out);
        return;
    }
    if (frame->kind == NATIVE_FRAME_NEAR)
        text_out_add(out, SLICE("near "));
    text_out_printable(out, frame->symbol);
    text_out_add(out, SLICE(" ("));
    text_out_printable(out, frame->shared_object);
    text_out_byte(out, ')');
}

struct native_frame native_frame_guess(const struct code_map *map, uint64_t pc)
{
    const struct code_row *row = code_map_find(map, pc);
    struct native_frame frame = {.kind = NATIVE_FRAME_BARE, .offset = pc};

    if (row) {
        frame.shared_object = slice_head(code_row_library(row), NATIVE_FRAME_LIBRARY_BYTES);
        frame.offset = pc - row->start + row->file_offset;
    }
    return frame;
}
