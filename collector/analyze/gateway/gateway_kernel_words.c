/*
 * gateway_kernel_words.c - what can be said of a SIGKILL while the kernel has said nothing: whether
 * its log is read and silent, was not readable, or was never given.
 */
#include <stdio.h>

#include "analyze/gateway/gateway_words.h"

enum kernel_ear { EAR_NONE, EAR_DEAF, EAR_OPEN };

void gateway_note_kernel_log(struct gateway *gateway, struct slice where, bool is_readable)
{
    if (gateway->kernel_log && (gateway->kernel_log_readable || !is_readable))
        return;
    gateway->kernel_log = intern_put(&gateway->texts, where);
    gateway->kernel_log_readable = is_readable;
}

static enum kernel_ear ear_of(const struct gateway *gateway)
{
    if (!gateway->kernel_log)
        return EAR_NONE;
    return gateway->kernel_log_readable ? EAR_OPEN : EAR_DEAF;
}

/* The place may be any path, so it is no format. */
static void fill(struct word_context *word, const char *before, const char *behind)
{
    const struct slice where = gateway_text(word->gateway, word->gateway->kernel_log);

    snprintf(word->text, WORD_BYTES, "%s%.*s%s", before,
             (int) (where.len_bytes < 300 ? where.len_bytes : 300),
             where.len_bytes > 0 ? where.ptr : "", behind);
}

void kernel_silence(struct word_context *word)
{
    static const char *const texts[][2] = {
        [EAR_NONE] = {"whether memory had run out cannot be said without the kernel's log", ""},
        [EAR_DEAF] = {"whether memory had run out cannot be said: the kernel's log (",
                      ") was not readable"},
        [EAR_OPEN] = {"the kernel's log, which is read from ", ", has told of no OOM kill"},
    };
    const enum kernel_ear ear = ear_of(word->gateway);

    fill(word, texts[ear][0], texts[ear][1]);
}

void kernel_step(struct word_context *word)
{
    static const char *const texts[][2] = {
        [EAR_NONE] = {"give the kernel's log (/var/log/kern.log, `journalctl -k`)", ""},
        [EAR_DEAF] = {"let fpmscope read ",
                      " (as root, or in the groups adm and systemd-journal), or look into `dmesg`"},
        [EAR_OPEN] = {"make sure with `dmesg` that the kernel's words reach ",
                      " (those of a container's kernel reach only its host)"},
    };
    const enum kernel_ear ear = ear_of(word->gateway);

    fill(word, texts[ear][0], texts[ear][1]);
}

bool kernel_is_listened_to(const struct gateway *gateway)
{
    return (gateway->sources & SOURCE_KERNEL) || ear_of(gateway) == EAR_OPEN;
}
