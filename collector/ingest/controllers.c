/*
 * controllers.c - which controller answered a request, as far as a stack of it shows.
 *
 * A stack is announced once and used by many requests, so its controller is worked out once, and
 * remembered by the stack's id for as long as the collector lives.
 */
#include "ingest/ingest_internal.h"

enum { CONTROLLER_BYTES = 256 };

void ingest_learn_controller(struct ingest *ingest, int64_t stack, struct slice php)
{
    char name[CONTROLLER_BYTES];
    text_id number;

    if (stack == 0 || !ingest->policy.name_controller ||
        idmap_get(&ingest->controllers, (uint64_t) stack, &number))
        return;
    const struct event_list frames = ingest_frames_of(php);
    if (!ingest->policy.name_controller(frames.items, frames.count, name, sizeof name))
        return;
    number = intern_put(&ingest->controller_names, slice_of(name));
    if (number == 0 || idmap_put(&ingest->controllers, (uint64_t) stack, number) < 0)
        ingest_count(ingest, "refused_controllers", 1);
}

/* The first that is seen stays: a controller that forwards is the one that was asked. */
void ingest_note_controller(struct ingest *ingest, struct worker *worker, uint64_t seq,
                            int64_t stack)
{
    text_id name;

    if (stack == 0 || worker->controller.seq == seq ||
        !idmap_get(&ingest->controllers, (uint64_t) stack, &name))
        return;
    worker->controller = (struct worker_controller){.seq = seq, .name = name};
}

struct slice ingest_controller(const struct ingest *ingest, const struct worker *worker,
                               uint64_t seq)
{
    return worker->controller.seq == seq
               ? intern_text(&ingest->controller_names, worker->controller.name)
               : SLICE("");
}
