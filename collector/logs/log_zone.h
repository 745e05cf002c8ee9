/*
 * log_zone.h - the zone of logs that do not print one, learnt from logs of the same host that do.
 *
 * nginx writes its error log in local time without a zone, and its access log in the same local
 * time with one; so does php-fpm.  Read together, the second dates the first.
 */
#ifndef FPMSCOPE_LOGS_LOG_ZONE_H
#define FPMSCOPE_LOGS_LOG_ZONE_H

#include <stddef.h>

#include "logs/log_context.h"
#include "logs/log_source.h"

/*
 * Look into the first lines of each file; the zone of the first one that prints the host's zone
 * (access logs, syslog, varnishncsa; not PHP's error log, which has date.timezone), else
 * `otherwise`.  "-", pipes and what cannot be read are passed over.  `options` as for reading them,
 * or NULL.
 */
struct log_zone log_zone_of_files(const char *const *paths, size_t count,
                                  const struct log_options *options, struct log_zone otherwise);

#endif
