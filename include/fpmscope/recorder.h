/*
 * recorder.h - the flight recorder: one file on tmpfs per worker, shared with the collector.
 *
 * Picture a black box bolted to the worker.  The worker stores into a mapping of it, which costs no
 * system call; the file outlives the worker, so that what was going on can be read after SIGKILL.
 *
 *   worker     creates it in the fork child, before setuid and chroot (O_CREAT | O_EXCL, 0600,
 *              posix_fallocate), maps it shared, writes everything but `wishes` and `hold_us`
 *   collector  never maps it (a truncated file would kill the reader): pread into a private copy,
 *              then checks every length against these arrays; writes only `wishes` and `hold_us`,
 *              by pwrite; unlinks the file when the worker is gone and the page has been processed
 *
 * The file is  DIRECTORY/PID-STARTTICKS  (start time as in /proc/PID/stat, field 22).  DIRECTORY
 * is 0700 and is, first that applies: $FPMSCOPE_PAGES; `pages` beside the collector's socket when
 * that is on tmpfs; /dev/shm/fpmscope-UID/pages.
 *
 * A request is written into the slot that is not current, then `current` is stored with release
 * order: a worker that dies in the middle of an update leaves the other slot whole.  Counters are
 * single aligned words.  All texts are a length and bytes, not NUL-terminated; lengths are hostile
 * to the reader.
 *
 * The outbox is where the worker writes its next packet.  A busy worker that was asked to hold does
 * not send it at each request's end; what it has finished lies here, for the collector to take when
 * it gets no packet, and for after the worker's death.
 */
#ifndef FPMSCOPE_RECORDER_H
#define FPMSCOPE_RECORDER_H

#include <stdint.h>

#include "fpmscope/limits.h"

enum {
    RECORDER_MAGIC = 0x4d505346, /* "FSPM" in memory order of a little-endian machine */
    RECORDER_VERSION = 2,
    RECORDER_SLOTS = 2,
    RECORDER_GROWTHS = 16,
    RECORDER_GROWTH_PHP_BYTES = 2048,
    RECORDER_CRASH_PHP_BYTES = 16 * 1024,
    RECORDER_CRASH_MAPS_BYTES = 64 * 1024,
    RECORDER_CRASH_STACK_BYTES = 64 * 1024,
    RECORDER_REGISTERS = 32,
    RECORDER_OUTBOX_BYTES = 16384,
};

/* RECORDER_TEXT(field, bytes): a text of at most `bytes` bytes. */
#define RECORDER_REQUEST_TEXTS(RECORDER_TEXT)                                                      \
    RECORDER_TEXT(method, 16)                                                                      \
    RECORDER_TEXT(uri, LIMIT_URI_BYTES)                                                            \
    RECORDER_TEXT(document_uri, LIMIT_TEXT_BYTES)                                                  \
    RECORDER_TEXT(host, LIMIT_TEXT_BYTES)                                                          \
    RECORDER_TEXT(port, 8)                                                                         \
    RECORDER_TEXT(remote_addr, 48)                                                                 \
    RECORDER_TEXT(user_agent, LIMIT_TEXT_BYTES)                                                    \
    RECORDER_TEXT(request_id, 128)                                                                 \
    RECORDER_TEXT(x_request_id, 128)

enum recorder_phase {
    RECORDER_IDLE = 0,     /* no request, or the last one is over */
    RECORDER_RUNNING = 1,  /* PARAMS complete, script runs */
    RECORDER_ANSWERED = 2, /* response handed over, script may still run */
};

struct recorder_request {
    uint64_t seq;              /* 1-based; 0: the slot was never used */
    uint32_t phase;            /* enum recorder_phase; updated in place */
    uint32_t flags;            /* enum wire_request_flag bits */
    int64_t begin_us;          /* CLOCK_REALTIME */
    int64_t response_us;       /* 0 until the response is handed over */
    int64_t live_before_bytes; /* live native bytes of the process when it began */
    uint64_t mapped_before_bytes;
    uint32_t status; /* HTTP status, 0 until seen */
    uint32_t reserved;
#define RECORDER_TEXT(field, bytes)                                                                \
    uint16_t field##_len_bytes;                                                                    \
    char field[bytes];
    RECORDER_REQUEST_TEXTS(RECORDER_TEXT)
#undef RECORDER_TEXT
};

/* Written by the worker, each a single aligned 64-bit word, never torn. */
struct recorder_counters {
    uint64_t requests;          /* finished */
    int64_t live_bytes;         /* live native bytes, refreshed at least at request boundaries */
    uint64_t mapped_bytes;      /* through mmap */
    uint64_t allocated_bytes;   /* native, since the worker's baseline */
    uint64_t zend_peak_bytes;   /* of the last finished request */
    uint64_t samples;           /* taken */
    uint64_t throttled_samples; /* skipped to stay in the budget */
    uint64_t dropped_messages;  /* packets that the socket did not take */
    uint64_t updated_us;        /* CLOCK_REALTIME of the last refresh */
};

/* Written by the collector only. */
struct recorder_wishes {
    uint64_t generation;     /* changes when the rest is complete */
    uint64_t interval_bytes; /* mean native sampling interval, 0 = the shim's own choice */
    uint64_t route_hash;     /* route_wish.h; 0: the interval is for every request, else for one
                              * route, and only as far as the shim's budget goes */
    uint32_t flags;          /* enum recorder_wish bits */
    uint32_t route_bytes;    /* of the path, under the hash */
};

enum recorder_wish {
    RECORDER_WISH_OFF = 1 << 0,
    RECORDER_WISH_WHOLE_PATH = 1 << 1, /* the path has no more than route_bytes */
};

/* A chunk or huge block that the Zend heap took from the system; a ring, newest at `growth_next`-1.
 */
struct recorder_growth {
    uint64_t seq;
    int64_t time_us;
    uint64_t bytes;
    uint64_t mapped_bytes; /* total after it */
    uint32_t php_len_bytes;
    char php[RECORDER_GROWTH_PHP_BYTES]; /* frames as in wire STACK */
};

enum recorder_crash_state {
    RECORDER_CRASH_NONE = 0,
    RECORDER_CRASH_BEGUN = 1,    /* siginfo and registers are valid */
    RECORDER_CRASH_COMPLETE = 2, /* everything below is valid */
};

/* Filled by the crash handler, in this order; `state` is stored with release order. */
struct recorder_crash {
    uint32_t state; /* enum recorder_crash_state */
    uint32_t signo;
    int64_t code;
    uint64_t address;
    int64_t time_us;
    uint64_t seq;
    uint32_t sender;
    uint32_t thread_id;
    uint32_t in_request, response_sent;
    uint64_t ip, sp;
    uint64_t registers[RECORDER_REGISTERS]; /* DWARF numbers of the machine: x86_64 0..16 */
    uint32_t register_count;
    uint32_t php_len_bytes;
    uint32_t maps_len_bytes;
    uint32_t stack_len_bytes;
    uint64_t stack_address; /* where `stack` was copied from, at or below sp's red zone */
    char php[RECORDER_CRASH_PHP_BYTES];
    char maps[RECORDER_CRASH_MAPS_BYTES]; /* /proc/self/maps, executable rows only */
    uint8_t stack[RECORDER_CRASH_STACK_BYTES];
};

/*
 * The packet that is being written.  `state` is generation << 32 | finished bytes, one word: in a
 * generation bytes are only appended, and stored before the length that covers them.  The next one
 * begins right after a packet was sent.  A packet that may be held begins with a PACKET message;
 * the finished length of any other stays 0.
 */
struct recorder_outbox {
    uint64_t state;
    uint8_t bytes[RECORDER_OUTBOX_BYTES];
};

static inline uint64_t recorder_outbox_state(uint32_t generation, uint32_t finished_bytes)
{
    return (uint64_t) generation << 32 | finished_bytes;
}

struct recorder_page {
    uint32_t magic, version;
    uint32_t page_bytes; /* sizeof(struct recorder_page) of the writer */
    uint32_t pid, ppid;
    uint32_t abilities; /* enum wire_ability bits */
    uint64_t start_ticks;
    int64_t created_us;
    uint32_t current; /* slot in use; release-stored */
    uint32_t growth_next;
    char php_version[16]; /* NUL-padded */
    struct recorder_wishes wishes;
    uint64_t hold_us; /* by the collector: how long a packet may wait for more, 0 = not at all */
    struct recorder_counters counters;
    struct recorder_request slots[RECORDER_SLOTS];
    struct recorder_growth growths[RECORDER_GROWTHS];
    struct recorder_crash crash;
    struct recorder_outbox outbox;
};

#endif /* FPMSCOPE_RECORDER_H */
