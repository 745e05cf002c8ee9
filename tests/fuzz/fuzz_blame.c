/*
 * fuzz_blame.c - any lines as a stack: PHP frames up to an empty line, native frames behind it.
 * Indexes stay inside the stack, names stay printable, frames have a human form.
 */
#include <stdint.h>
#include <string.h>

#include "analyze/module/blame.h"
#include "analyze/route/route_controller.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINES_MAX = 96 };

static size_t take_lines(struct slice *text, struct slice lines[LINES_MAX])
{
    size_t count = 0;

    while (text->len_bytes > 0 && count < LINES_MAX) {
        const ptrdiff_t end = slice_index(*text, '\n');
        const struct slice line = slice_head(*text, end < 0 ? SIZE_MAX : (size_t) end);

        *text = slice_skip(*text, line.len_bytes + 1);
        if (line.len_bytes == 0)
            break;
        lines[count++] = line;
    }
    return count;
}

static void check_printable(const char *name)
{
    for (struct slice rest = slice_of(name); rest.len_bytes > 0;
         rest = slice_skip(rest, utf8_printable(rest)))
        if (utf8_printable(rest) == 0)
            __builtin_trap();
}

static void check_index(int index, size_t count)
{
    if (index != BLAME_NO_FRAME && (index < 0 || (size_t) index >= count))
        __builtin_trap();
}

static void check_frames(const struct slice *lines, size_t count)
{
    char human[PHP_FRAME_HUMAN_BYTES];
    struct route_controller controller;

    for (size_t i = 0; i < count; i++) {
        if (php_frame_text(lines[i], human, sizeof human) != strlen(human))
            __builtin_trap();
        check_printable(human);
    }
    if (route_controller_of_stack(lines, count, &controller))
        check_printable(controller.name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {.ptr = (const char *) data, .len_bytes = size};
    struct slice php[LINES_MAX], native[LINES_MAX];
    struct blame_stack stack = {.php = php, .native = native, .owner = SLICE("")};

    stack.php_count = take_lines(&text, php);
    stack.native_count = take_lines(&text, native);
    if (stack.native_count > 0)
        stack.owner = native[0];
    check_frames(php, stack.php_count);
    for (int question = BLAME_RETAINED; question <= BLAME_CRASH; question++) {
        struct blame blame;

        blame_stack(NULL, &stack, (enum blame_question) question, &blame);
        check_index(blame.frame, stack.php_count);
        check_index(blame.boundary, stack.php_count);
        check_index(blame.internal, stack.php_count);
        check_printable(blame.module.name);
        check_printable(blame.allocated_in);
        check_printable(blame.extension);
        if (blame.module.name[0] == '\0' || blame_unit_text(blame.unit)[0] == '\0')
            __builtin_trap();
    }
    return 0;
}
