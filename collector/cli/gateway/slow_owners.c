/* slow_owners.c - "[0x...] save() /srv/app/code/Acme/Erp/Push.php:41" lines -> a module. */
#include "cli/gateway/slow_owners.h"

#include "analyze/module/blame.h"
#include "analyze/module/php_frame.h"
#include "base/text_out.h"
#include "model/event.h"

enum { FRAME_BYTES = 1024, SHOWN_BYTES = 512 };

/* "[0x...] save() FILE:41" -> "save TAB TAB FILE:41", as workers would have sent it; empty when the
 * line is no frame. */
static struct slice print_frame(struct slice line, char *buffer)
{
    struct text_out out = text_out_into(buffer, FRAME_BYTES);
    const ptrdiff_t bracket = slice_starts(line, SLICE("[0x")) ? slice_find(line, SLICE("] ")) : -1;
    const struct slice rest = slice_skip(line, (size_t) bracket + 2);
    const ptrdiff_t blank = bracket < 0 ? -1 : slice_index(rest, ' ');

    if (blank < 0)
        return text_out_slice(&out);
    struct slice function = slice_head(rest, (size_t) blank);

    if (function.len_bytes > 2 &&
        slice_equal(slice_skip(function, function.len_bytes - 2), SLICE("()")))
        function.len_bytes -= 2;
    text_out_add(&out, function);
    text_out_add(&out, SLICE("\t\t"));
    text_out_add(&out, slice_skip(rest, (size_t) blank + 1));
    if (out.cut)
        return SLICE("");
    return text_out_slice(&out);
}

struct frames {
    struct slice items[EVENT_FRAMES_MAX];
    size_t count;
    char texts[EVENT_FRAMES_MAX][FRAME_BYTES];
};

static void split(struct slice stack, struct frames *frames)
{
    frames->count = 0;
    while (stack.len_bytes > 0 && frames->count < EVENT_FRAMES_MAX) {
        const ptrdiff_t newline = slice_index(stack, '\n');
        const struct slice line = newline < 0 ? stack : slice_head(stack, (size_t) newline);
        const struct slice frame = print_frame(line, frames->texts[frames->count]);

        if (frame.len_bytes > 0)
            frames->items[frames->count++] = frame;
        stack = slice_skip(stack, line.len_bytes + 1);
    }
}

void slow_owners_note(struct gateway *gateway, const struct module_rules *rules,
                      const struct log_event *event)
{
    static _Thread_local struct frames frames;
    char shown[SHOWN_BYTES] = "";
    struct blame blame;

    if (event->kind != LOG_PHP_SLOW || event->slow.pid <= 0 || event->time_us < 0)
        return;
    split(event->slow.stack, &frames);
    if (frames.count == 0)
        return;
    blame_stack(rules, &(struct blame_stack){.php = frames.items, .php_count = frames.count},
                BLAME_PEAK, &blame);
    if (blame.found != BLAME_THIRD_PARTY && blame.found != BLAME_PLATFORM &&
        blame.found != BLAME_APPLICATION)
        return;
    if (blame.frame >= 0)
        php_frame_text(frames.items[blame.frame], shown, sizeof shown);
    gateway_note_owner(gateway, &(struct gateway_owner){.kind = GATEWAY_OWNER_STUCK,
                                                        .pid = event->slow.pid,
                                                        .time_us = event->time_us,
                                                        .module = slice_of(blame.module.name),
                                                        .frame = slice_of(shown)});
}
