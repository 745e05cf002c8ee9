/*
 * short_copy.h - memcpy() for texts that are nearly always short.
 *
 * Up to 16 bytes are two words that may overlap, copied without a call: methods, addresses, hosts
 * and most paths.  Signal-safe.
 */
#ifndef FPMSCOPE_SHORT_COPY_H
#define FPMSCOPE_SHORT_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { SHORT_COPY_BYTES = 16 }; /* more are memcpy()'s */

/* 8 to 16 bytes. */
static inline void short_copy_words(char *dst, const char *src, size_t len_bytes)
{
    uint64_t head, tail;

    memcpy(&head, src, sizeof head);
    memcpy(&tail, src + len_bytes - sizeof tail, sizeof tail);
    memcpy(dst, &head, sizeof head);
    memcpy(dst + len_bytes - sizeof tail, &tail, sizeof tail);
}

/* 4 to 7 bytes. */
static inline void short_copy_halves(char *dst, const char *src, size_t len_bytes)
{
    uint32_t head, tail;

    memcpy(&head, src, sizeof head);
    memcpy(&tail, src + len_bytes - sizeof tail, sizeof tail);
    memcpy(dst, &head, sizeof head);
    memcpy(dst + len_bytes - sizeof tail, &tail, sizeof tail);
}

/* `src` and `dst` do not overlap; NULL is allowed for no bytes. */
static inline void short_copy(char *dst, const char *src, size_t len_bytes)
{
    if (len_bytes > SHORT_COPY_BYTES) {
        memcpy(dst, src, len_bytes);
    } else if (len_bytes >= 8) {
        short_copy_words(dst, src, len_bytes);
    } else if (len_bytes >= 4) {
        short_copy_halves(dst, src, len_bytes);
    } else if (len_bytes > 0) {
        dst[0] = src[0];
        dst[len_bytes / 2] = src[len_bytes / 2];
        dst[len_bytes - 1] = src[len_bytes - 1];
    }
}

#endif /* FPMSCOPE_SHORT_COPY_H */
