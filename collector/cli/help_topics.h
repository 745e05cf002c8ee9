/* help_topics.h - pages of the manual that are not about one command, rendered from their tables.
 */
#ifndef FPMSCOPE_CLI_HELP_TOPICS_H
#define FPMSCOPE_CLI_HELP_TOPICS_H

#include <stdio.h>

struct help_topic {
    const char *name, *summary;
    void (*print)(FILE *out); /* fits the terminal; elsewhere a row of a table is one line */
};
extern const struct help_topic help_topics[]; /* ends with name NULL */

/* By name; NULL when there is none. */
const struct help_topic *help_topic_find(const char *name);

#endif
