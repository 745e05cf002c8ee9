/*
 * gateway_places.h - the logs of this host, for a `fpmscope 502` that was given none: those that
 * nginx and php-fpm say they write, in nginx's own formats, and those under the usual names.
 */
#ifndef FPMSCOPE_CLI_GATEWAY_GATEWAY_PLACES_H
#define FPMSCOPE_CLI_GATEWAY_GATEWAY_PLACES_H

#include <stdbool.h>
#include <stddef.h>

struct gateway_places {
    const char **paths;
    const char **formats; /* parallel; NULL: the lines say what they are */
    size_t count, max;
    char *texts; /* where all of them are */
    size_t texts_bytes;
};

/*
 * At most `max` files that exist; each once.  `rotated`: also the file of each that was rotated
 * last.  What did not fit is left out.  0 or -ENOMEM; release it in any case.
 */
int gateway_places_find(struct gateway_places *places, size_t max, bool rotated);

void gateway_places_release(struct gateway_places *places);

#endif
