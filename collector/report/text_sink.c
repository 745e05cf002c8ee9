/* text_sink.c - write a sentence into a caller's buffer with stdio; what does not fit is cut. */
#include "report/text_sink.h"

#include "report/human.h"

enum { SAID_BYTES = 1024 };

FILE *text_sink_open(char *buf, size_t cap)
{
    buf[0] = '\0';
    return fmemopen(buf, cap, "w");
}

const char *text_sink_close(FILE *sink, char *buf, size_t cap)
{
    if (sink)
        fclose(sink);
    buf[cap - 1] = '\0';
    return buf;
}

void text_sink_say(FILE *sink, const char *before, struct slice text, const char *after)
{
    char safe[SAID_BYTES];

    if (text.len_bytes > 0)
        fprintf(sink, "%s%s%s", before, human_text(text, safe, sizeof safe), after);
}
