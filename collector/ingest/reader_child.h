/*
 * reader_child.h - a short-lived child of the collector that reads what others can write.
 *
 * Parsers of ELF files are large and the files may be hostile.  The child has the collector's
 * memory as of the fork and nothing else: no descriptor but its pipe, the uid of nobody when the
 * collector is root, no new privileges, a list of permitted system calls where the kernel has
 * seccomp, limits on memory and time.  It dies with the collector, and after
 * READER_CHILD_DEADLINE_S in any case.  What it answers is text, and is parsed as hostile.
 *
 * The parent sees a descriptor to poll and a bounded buffer; no event loop in here.
 */
#ifndef FPMSCOPE_INGEST_READER_CHILD_H
#define FPMSCOPE_INGEST_READER_CHILD_H

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/slice.h"

enum { READER_CHILD_DEADLINE_S = 2, READER_CHILD_ANSWER_MAX_BYTES = 1 << 20 };

struct reader_child {
    pid_t pid; /* 0: none */
    int fd;    /* readable when it has something to say; open until the release; -1: none */
    char *answer;
    size_t answer_len_bytes, answer_cap_bytes;
};

/* Runs in the child; `arg` as given to start; what it prints to `out` is the answer. */
typedef void (*reader_child_fn)(const void *arg, FILE *out);

/* Fork.  0 or negative errno. */
int reader_child_start(struct reader_child *ret_child, reader_child_fn run, const void *arg);

/* Read without blocking.  1: more to come; 0: it has ended, `answer` is all it said (perhaps cut
 * short, if it was killed); -E2BIG or another errno: it was ended. */
int reader_child_read(struct reader_child *child);

static inline struct slice reader_child_answer(const struct reader_child *child)
{
    return (struct slice){.ptr = child->answer, .len_bytes = child->answer_len_bytes};
}

/*
 * End it if it still works, free the answer, close `fd`.  Whoever watches `fd` must have stopped:
 * the pipe lives on in children that were forked meanwhile, so that epoll would go on telling of a
 * number that by then is somebody else's.
 */
void reader_child_release(struct reader_child *child);

/* In the child, before any hostile byte is read.  0, or negative errno: it must not go on. */
int reader_child_drop_privileges(void);

#endif
