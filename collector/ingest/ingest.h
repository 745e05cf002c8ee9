/*
 * ingest.h - what workers say and leave behind, turned into events in the store.
 *
 * Three sources meet here: packets (claims of a process that the kernel has identified), recorder
 * pages (what a worker was doing, readable after any death), and /proc (sizes, names, parents).
 * The caller owns sockets and pidfds; it tells us who sent a packet and who has died.
 *
 * Everything received is hostile: lengths are checked, times are kept between the sender's birth
 * and now, and what is refused is counted in the store's coverage.
 */
#ifndef FPMSCOPE_INGEST_INGEST_H
#define FPMSCOPE_INGEST_INGEST_H

#include <stdbool.h>
#include <stdint.h>

#include <sys/types.h>

#include "base/slice.h"
#include "store/store.h"

struct ingest;

enum { INGEST_PACKET_MAX_BYTES = 16384 }; /* a larger one is none of ours */

/* A directory of recorder pages; it need not exist yet. */
struct ingest_pages {
    const char *directory;
    bool is_shared; /* other collectors use it too: read only the pages of workers that we know */
};
enum { INGEST_PAGES_MAX = 2 };

/* What a stack shows: writes its name and returns true, or returns false. */
typedef bool (*ingest_name_fn)(const struct slice *frames, size_t count, char *ret_name,
                               size_t size_bytes);

struct ingest_policy {
    struct ingest_pages pages[INGEST_PAGES_MAX]; /* a NULL directory ends the list */
    const char *master_name; /* a master's executable begins with it; NULL: "php-fpm" */
    uid_t own_uid;           /* masters run as root or as this user */
    /* Write what of a URI may be kept into `buffer`; returns its length.  NULL: keep it as it is.
     */
    size_t (*mask_uri)(struct slice uri, char *buffer, size_t size_bytes);
    /* The controller that answered a request, from PHP frames (innermost first).  NULL: requests
     * have none. */
    ingest_name_fn name_controller;
    /* The template of the page that is being rendered.  NULL: only controllers tell. */
    ingest_name_fn name_template;
    /* A living worker was found by its page; the caller opens a pidfd and reports its end. */
    void (*on_found)(void *ctx, pid_t pid, uint64_t start_ticks);
    /* A request was lost with its worker at that time: the log lines around it matter. */
    void (*on_trouble)(void *ctx, int64_t time_us);
    /* The event goes into the store; texts are valid during the call only.  NULL: nobody listens.
     */
    void (*on_event)(void *ctx, const struct event *event);
    /* The store's queue fills faster than time passes: write it now.  NULL: nobody can. */
    void (*on_crowded)(void *ctx);
    /* Call `fn` whenever `fd` is readable, until unwatch().  NULL: crashes are waited for (two
     * seconds at most) and native frames keep their offsets. */
    void *(*watch)(void *ctx, int fd, void (*fn)(void *), void *arg);
    void (*unwatch)(void *ctx, void *watch);
    /* Read all packets that this process has sent so far, by ingest_packet(); false when there may
     * be more.  NULL: there never are any. */
    bool (*drain)(void *ctx, pid_t pid, uint64_t start_ticks);
    void *ctx;
};

/* Who sent a packet, as the kernel says. */
struct ingest_sender {
    pid_t pid, parent;
    uint64_t start_ticks; /* 0: it had ended before that could be read, HELLO's is taken */
    uid_t uid;            /* of this packet */
};

/* The store must outlive the ingest.  `policy` is copied, its strings are borrowed. */
int ingest_new(struct store *store, const struct ingest_policy *policy, struct ingest **ret_ingest);
void ingest_free(struct ingest *ingest);

/*
 * Remember which workers the store thinks alive and how far they came, so that a restarted
 * collector neither repeats nor misses a request; `now_us` bounds how far back it looks.  From
 * here on a worker that is younger than the store is expected to be told from its first request.
 */
int ingest_resume(struct ingest *ingest, int64_t now_us);

/* True when a process is known as a living worker or is a child of a master: it may come back
 * through the abstract name. */
bool ingest_knows(struct ingest *ingest, const struct ingest_sender *sender);

/* One packet.  Whatever is wrong with it is counted, the rest is used. */
void ingest_packet(struct ingest *ingest, const struct ingest_sender *sender, const void *packet,
                   size_t len_bytes, int64_t now_us);

/* The kernel says that this process has ended (never on mere loss of the connection). */
void ingest_ended(struct ingest *ingest, pid_t pid, uint64_t start_ticks, int64_t now_us);

/* Count something the caller refused: "foreign_messages", ... */
void ingest_count(struct ingest *ingest, const char *name, uint64_t n);

/* Once a second: sizes, pool names, requests in flight, and pages of workers nobody announced. */
void ingest_scan(struct ingest *ingest, int64_t now_us);

/* Of that, only the pages: before the collector ends. */
void ingest_find_pages(struct ingest *ingest, int64_t now_us);

/*
 * Several times a second: ask busy workers to put many requests into one packet, take from their
 * pages what they have finished and not sent, and let those go that are not busy any more.
 */
void ingest_look_at_outboxes(struct ingest *ingest, int64_t now_us);

/* Before the collector ends: nobody holds any longer, and everything that was held is taken. */
void ingest_end_holds(struct ingest *ingest, int64_t now_us);

/* One route to sample more finely; an empty path: none. */
struct ingest_wish {
    struct slice path; /* of its requests, or their common beginning */
    bool whole_path;
    int64_t interval_bytes;
};

/* Write the wish into the pages of one living worker in four, and no wish into the others'.  Pages
 * that say so already are left alone.  Call it again when workers come and go. */
void ingest_wish(struct ingest *ingest, const struct ingest_wish *wish);

/* Wait for crashes that are being unwound, before the end: two seconds at most for each. */
void ingest_settle(struct ingest *ingest);

/* The store has committed everything appended so far: pages that were read to their end may go. */
void ingest_committed(struct ingest *ingest);

/* How many workers live, and how many of them have no connection. */
void ingest_census(const struct ingest *ingest, size_t *ret_living, size_t *ret_unconnected);

#endif
