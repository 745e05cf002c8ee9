/*
 * period.h - `--since`, `--until`, `--today`, `--yesterday`: which stretch of time a command reads.
 *
 * All times are UTC.  Accepted: `2026-11-22`, `2026-11-22 07:25[:29]` (a `T` for the space, a `Z`
 * at the end), `07:25[:29]` (today), `@1795332329` (seconds since the epoch), and how long ago:
 * `90s`, `15m`, `2h`, `3d`.
 */
#ifndef FPMSCOPE_CLI_INPUT_PERIOD_H
#define FPMSCOPE_CLI_INPUT_PERIOD_H

#include <argp.h>
#include <stdint.h>

struct period {
    int64_t from_us, to_us; /* both inclusive; 0: no limit */
};

/* A child parser: give it a `struct period` as input through state->child_inputs. */
extern const struct argp period_argp;

/* Parse one point in time; `now_us` is the clock.  0 or -EINVAL. */
int period_parse_time(const char *text, int64_t now_us, int64_t *ret_us);

/*
 * Parse `FROM..TO`, as git writes ranges: FROM is inclusive, TO is not, either may be left out.
 * 0; -EINVAL when it is none, or ends before it begins.
 */
int period_parse_range(const char *text, int64_t now_us, struct period *ret_period);

#endif
