/* fuzz_log_format.c - a log_format string (the first line) against a line that it may have written.
 */
#include "fuzz_logs.h"
#include "logs/access_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct access_format format; /* large */
    const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
    struct fuzz_logs fuzz = {0};
    char *text;

    if (!newline || memchr(data, '\0', (size_t) (newline - data)))
        return 0;
    text = strndup((const char *) data, (size_t) (newline - data));
    fuzz_logs_init(&fuzz, newline + 1, size - (size_t) (newline + 1 - data));
    if (!access_format_compile(&format, &fuzz.names, text)) {
        fuzz.context.format = &format;
        fuzz_logs_parse(&fuzz, access_custom_parse);
    }
    fuzz_logs_release(&fuzz);
    free(text);
    return 0;
}
