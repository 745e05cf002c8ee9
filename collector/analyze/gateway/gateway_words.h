/*
 * gateway_words.h - evidence in words: signals, times and sizes, and the {words} in the sentences
 * of verdicts.def.  What is written into `text` is cut to fit, as snprintf does, and ends with a
 * NUL.  Private to gateway*.c.
 */
#ifndef FPMSCOPE_ANALYZE_GATEWAY_GATEWAY_WORDS_H
#define FPMSCOPE_ANALYZE_GATEWAY_GATEWAY_WORDS_H

#include "analyze/gateway/gateway_parts.h"

enum { WORD_BYTES = 1024 };

/* One {word} being filled in. */
struct word_context {
    struct gateway *gateway;
    const struct evidence *e;
    const struct gateway_row *row;
    char *text; /* WORD_BYTES */
};

/* gateway_spell.c */

/* "SIGSEGV"; "" for 0, "signal 42" for what has no name here. */
struct slice spell_signal(struct gateway *gateway, int signo);

/* "05:38:44 UTC", of a time since the epoch in microseconds. */
void spell_time(char *text, size_t size_bytes, int64_t time_us);

/* "0.119 s", "3.4 s", "2 min". */
void spell_duration(char *text, size_t size_bytes, int64_t duration_us);

/* "251 MiB", "3.1 GiB". */
void spell_kib(char *text, size_t size_bytes, int64_t kib);

/* gateway_advice.c: words that are names to act on or numbers to set */
void advice_caller(struct word_context *word);    /* {caller} whose PHP code called the library */
void advice_in_module(struct word_context *word); /* {in_module} the same, as " in ..." or "" */
void advice_room(struct word_context *word);      /* {room} how many workers fit into memory */
void advice_refused(struct word_context *word);   /* {refused} by the queue in that second */
void advice_grace(struct word_context *word);     /* {grace} for process_control_timeout */
void advice_longer(struct word_context *word);    /* {longer} request_terminate_timeout to try */
void advice_shorter(struct word_context *word);   /* {shorter} one as long as nginx waits */

/* gateway_kernel_words.c: of the kernel's log, as long as the kernel has said nothing */
void kernel_silence(struct word_context *word); /* {kernel_silence} what its silence is worth */
void kernel_step(struct word_context *word);    /* {kernel_step} what to do about it */
bool kernel_is_listened_to(const struct gateway *gateway);

/* gateway_words.c */

/*
 * Fill the {words} of a sentence of verdicts.def from the evidence and the row made so far; the
 * result lives in the engine.
 */
struct slice words_fill(struct gateway *gateway, const struct evidence *evidence,
                        const struct gateway_row *row, const char *sentence);

#endif
