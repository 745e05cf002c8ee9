/* ingest_internal.h - what the files of this folder share; nobody else includes it. */
#ifndef FPMSCOPE_INGEST_INGEST_INTERNAL_H
#define FPMSCOPE_INGEST_INGEST_INTERNAL_H

#include "base/idmap.h"
#include "base/intern.h"
#include "ingest/ingest.h"
#include "ingest/page.h"
#include "ingest/worker_table.h"

enum {
    INGEST_URI_BYTES = 3 * LIMIT_URI_BYTES + 1, /* masking may write a byte as %XX */
    INGEST_GONE_PAGES_MAX = 4096,
    INGEST_EARLY_ENDS_MAX = 64,
};

typedef char ingest_uri[INGEST_URI_BYTES];

struct gone_page {
    const char *directory;
    char name[PAGE_NAME_BYTES];
};

/* A master told this end, and its worker is not known yet: its HELLO waits in another socket. */
struct early_end {
    pid_t pid;
    int64_t time_us;
};

struct ingest {
    struct store *store;
    struct ingest_policy policy;
    struct worker_table workers;
    int64_t now_us;                /* of the call that is running */
    int64_t complete_since_us;     /* of workers born since then every request should be here */
    bool has_measured;             /* a heap, in this scan */
    ingest_uri uri, path;          /* what is shown of them */
    struct recorder_page *page;    /* the private copy of the page being read */
    struct recorder_outbox outbox; /* and of the outbox that is being taken */
    /* Read to the end and waiting for the commit of what they said; then removed. */
    struct gone_page *gone_pages;
    size_t gone_count;
    struct early_end early_ends[INGEST_EARLY_ENDS_MAX]; /* a ring: most never speak */
    size_t early_end_count;                             /* all that there ever were */
    bool wishes_settled;    /* no page has a wish of ours, or of a collector before us */
    struct ending *endings; /* workers whose crash is being unwound */
    struct ingest_stacks *stacks;
    struct idmap controllers; /* stack's id in the store -> number in `controller_names` */
    struct idmap templates;   /* the same for its template */
    struct idmap lessons;     /* template and a URI's shape -> its controller, see controllers.c */
    struct intern controller_names;
};

/* The beginnings and ends that may be stored twice are stored once, by these. */

/* The pool, from the process title, as soon as it says one. */
void ingest_learn_pool(struct worker *worker);

/* `start` or `master`, with the parent, the interval and the pool. */
void ingest_store_start(struct ingest *ingest, struct worker *worker);
/* `beg`, unless it is there already. */
void ingest_store_begin(struct ingest *ingest, struct worker *worker,
                        const struct request_facts *facts);
void ingest_store_response(struct ingest *ingest, const struct worker *worker, uint64_t seq,
                           int64_t time_us, int64_t status);
void ingest_store_growth(struct ingest *ingest, const struct worker *worker, uint64_t seq,
                         int64_t time_us, uint64_t bytes, int64_t stack);

/* An event of `worker` at `time_us`, which is kept between its birth and now. */
struct event ingest_event(struct ingest *ingest, const struct worker *worker, enum event_kind kind,
                          int64_t time_us);
void ingest_store(struct ingest *ingest, const struct event *event);

/* Keep a stack given as lines of PHP frames; its id, 0 when it is empty. */
int64_t ingest_store_stack(struct ingest *ingest, struct slice php, const struct event_list *native,
                           struct slice module);

/* The id of a stack that has only these frames. */
int64_t ingest_hash_frames(const struct event_list *php, const struct event_list *native);

/* The same for a STACK message, whose native frames are program counters; names follow later. */
int64_t ingest_take_stack(struct ingest *ingest, struct worker *worker, struct slice php,
                          struct slice native);
/* PHP frames of a message, a line each; they point into `php`. */
struct event_list ingest_frames_of(struct slice php);

/* What a stack says about the controller of its requests, remembered by the stack's id. */
void ingest_learn_controller(struct ingest *ingest, int64_t stack, struct slice php);
/* `stack` was seen in the request `seq` of the worker, which is not over. */
void ingest_note_controller(struct ingest *ingest, struct worker *worker, uint64_t seq,
                            int64_t stack);
/*
 * At the end of the request `seq`, once: its controller; empty when no stack of it showed one, nor
 * a template that is known to be of one controller only.
 */
struct slice ingest_controller(struct ingest *ingest, const struct worker *worker, uint64_t seq,
                               struct slice uri);

int ingest_stacks_new(struct ingest_stacks **ret_stacks);
void ingest_stacks_free(struct ingest_stacks *stacks);
/* Ask for the names that are missing, once a second. */
void ingest_name_stacks(struct ingest *ingest);

/* The worker has finished its requests up to `seq`; how many of them nobody told, to be counted. */
uint64_t ingest_note_finished(const struct ingest *ingest, struct worker *worker, uint64_t seq);
void ingest_count_missed(struct ingest *ingest, uint64_t requests);

/* What a worker's counters say that was not said before: `lost` and coverage. */
void ingest_note_losses(struct ingest *ingest, struct worker *worker, uint64_t dropped_messages,
                        uint64_t throttled_samples);

/* The shown form of a URI or path, valid as long as both arguments; and the hash of the whole. */
struct slice ingest_mask(const struct ingest *ingest, struct slice uri, ingest_uri *ret_shown);
int64_t ingest_hash(struct slice text);

/* A hash as a number that every reader of JSON keeps whole: 53 bits. */
static inline int64_t ingest_number(uint64_t hash)
{
    return (int64_t) (hash >> 11);
}

/* Remove its page, if it has one, with the next commit; without a place to note it, it stays. */
void ingest_forget_page(struct ingest *ingest, const struct worker *worker);

/* The worker's page into ingest->page, wherever it is.  0 or as page_read(). */
int ingest_read_page(struct ingest *ingest, struct worker *worker, enum page_part part);

/* Handle messages, one after the other.  `stacks_only`: the rest was told before. */
void ingest_take_messages(struct ingest *ingest, struct worker *worker, const uint8_t *bytes,
                          size_t len_bytes, bool stacks_only);

/* What is known of a packet: it begins with bytes that were read in its outbox, and then with some
 * that an earlier collector has stored, but for the texts of stacks. */
struct known_bytes {
    size_t taken, told;
};

/* Notes that this packet has come. */
struct known_bytes ingest_note_packet(struct worker *worker, const uint8_t *packet,
                                      size_t len_bytes);

/* The page in ingest->page, of a worker that has ended: take what it had not sent. */
void ingest_take_last_outbox(struct ingest *ingest, struct worker *worker);

/* True when the page in ingest->page said that the worker holds, which an earlier collector asked
 * of it: its outbox has been looked at, and the page must be read again. */
bool ingest_adopt_hold(struct ingest *ingest, struct worker *worker);
/* It has ended. */
void ingest_forget_hold(struct worker *worker);

/* What an `rss` event says beside the size: where the memory is.  Of the page in ingest->page, read
 * just now; measures the heap when that is due. */
void ingest_explain_memory(struct ingest *ingest, struct worker *worker, struct event *event);
/* Is it time to measure the heap of this worker, whose page is in ingest->page? */
bool ingest_heap_is_due(const struct ingest *ingest, const struct worker *worker);

struct crash_report;
void ingest_store_report(struct ingest *ingest, const struct worker *worker,
                         const struct crash_report *report);
void ingest_store_crash_message(struct ingest *ingest, const struct worker *worker);

/* The end of `worker`: what its page says, then `end`; the entry stays a while. */
void ingest_finish(struct ingest *ingest, struct worker *worker, int64_t end_us);

#endif
