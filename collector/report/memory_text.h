/* memory_text.h - what the memory of a pool's worker is made of, in words. */
#ifndef FPMSCOPE_REPORT_MEMORY_TEXT_H
#define FPMSCOPE_REPORT_MEMORY_TEXT_H

#include <jansson.h>
#include <stddef.h>

#include "analyze/summary/summary.h"

enum { MEMORY_TEXT_BYTES = 1024 };

/* The sentence with the numbers, NUL-terminated in the caller's buffer. */
const char *memory_sentence(const struct summary_memory *memory, char *buf, size_t cap);

/* What to do; "" when there is nothing to do. */
const char *memory_advice(const struct summary_memory *memory);

/* Add `live_bytes`, `trim_bytes`, ... to a row. */
void memory_json_parts(json_t *row, const struct memory_parts *parts);
json_t *memory_json(const struct summary_memory *memory);

#endif
