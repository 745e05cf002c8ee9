/*
 * page.h - read a recorder page as what it is: a file that a stranger may be rewriting, truncating
 * or punching while we look.
 *
 * One pread into a private copy (the page is never mapped: a fault would kill the reader), then
 * every length is checked against its array before it is believed.
 */
#ifndef FPMSCOPE_INGEST_PAGE_H
#define FPMSCOPE_INGEST_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/types.h>

#include "base/slice.h"
#include "fpmscope/recorder.h"

/* "PID-STARTTICKS", the whole of it and nothing else. */
bool page_parse_name(const char *name, pid_t *ret_pid, uint64_t *ret_start_ticks);
enum { PAGE_NAME_BYTES = 48 };
void page_format_name(pid_t pid, uint64_t start_ticks, char ret_name[PAGE_NAME_BYTES]);

enum page_part {
    PAGE_HEAD,  /* up to the slots: enough for a living worker */
    PAGE_WHOLE, /* growths and crash too */
};

/*
 * Copy the page `name` of `directory`.  What the file lacks is zero in the copy.  0; -ENOENT;
 * -EBADMSG when it is not a page of this version, not a regular file, or too short.
 */
int page_read(const char *directory, const char *name, enum page_part part,
              struct recorder_page *ret_page);

/*
 * Write the wishes of the page `name`; `generation` last, and never one that it has already.
 * 0; -ENOENT; -EBADMSG when it is not a page's file; -errno.
 */
int page_write_wishes(const char *directory, const char *name,
                      const struct recorder_wishes *wishes);

/* Open a page that is looked at several times a second, for reading and for page_write_hold().  0
 * and a descriptor; -ENOENT; -EBADMSG when it is not a page of this version; -errno. */
int page_open(const char *directory, const char *name, int *ret_fd);

/*
 * Copy what is finished in the outbox; `known_state` is what was copied last.  1: a copy, whose
 * length fits; 0: nothing new; -EAGAIN: it was sent while we were reading; -EBADMSG: a length that
 * cannot be, or a file that lacks it.
 */
int page_read_outbox(int fd, uint64_t known_state, struct recorder_outbox *ret_outbox);

/* Ask the worker to hold its packets so long, 0: not at all.  0 or -errno. */
int page_write_hold(int fd, uint64_t hold_us);

/* What a request was, in slices of the page or of a packet. */
struct request_facts {
    uint64_t seq;
    uint32_t flags;
    int64_t begin_us, response_us;
    uint32_t status; /* 0: not seen yet */
    struct slice method, uri, document_uri, host, port, remote_addr, user_agent, request_id,
        x_request_id;
};

/* The request in flight; false when the worker was idle.  A text with an impossible length is
 * left out and *ret_damaged is set. */
bool page_request(const struct recorder_page *page, struct request_facts *ret_facts,
                  bool *ret_damaged);

/* The number of the last request that was over; 0 when none was. */
uint64_t page_last_finished(const struct recorder_page *page);

/* Growth number `i` (0 is the oldest) with its PHP frames; false for an empty place. */
bool page_growth(const struct recorder_page *page, size_t i,
                 const struct recorder_growth **ret_growth, struct slice *ret_php);

#endif
