/* gateway_owners.c - which module a worker was in: told from outside, found by worker and time. */
#include <stdlib.h>

#include "analyze/gateway/gateway_parts.h"

enum { OWNERS_MAX = 65536, SAME_DEATH_US = 60 * SECOND_US /* writing a core takes time */ };

struct owner {
    enum gateway_owner_kind kind;
    int64_t pid, time_us;
    text_id module, frame;
    uint32_t earlier; /* index + 1 of one with the same pid, 0: none */
};

void owners_init(struct gateway *gateway)
{
    array_init(&gateway->owners, sizeof(struct owner), OWNERS_MAX);
    idmap_init(&gateway->owner_index, OWNERS_MAX + 1);
}

void owners_release(struct gateway *gateway)
{
    array_release(&gateway->owners);
    idmap_release(&gateway->owner_index);
}

/* The newest one of that kind within [from_us, to_us], or NULL. */
static const struct owner *owner_find(const struct gateway *gateway, enum gateway_owner_kind kind,
                                      int64_t pid, int64_t from_us, int64_t to_us)
{
    uint32_t at = 0;

    idmap_get(&gateway->owner_index, (uint64_t) pid, &at);
    while (at > 0) {
        const struct owner *owner = GATEWAY_AT(gateway, owners, owner, at - 1);

        if (owner->kind == kind && owner->time_us >= from_us && owner->time_us <= to_us)
            return owner;
        at = owner->earlier;
    }
    return NULL;
}

void gateway_note_owner(struct gateway *gateway, const struct gateway_owner *told)
{
    uint32_t earlier = 0;

    if (owner_find(gateway, told->kind, told->pid, told->time_us, told->time_us))
        return; /* the same log, read a second time */
    struct owner *owner = array_add(&gateway->owners);

    if (!owner)
        return;
    idmap_get(&gateway->owner_index, (uint64_t) told->pid, &earlier);
    *owner = (struct owner){told->kind,
                            told->pid,
                            told->time_us,
                            intern_put(&gateway->texts, told->module),
                            intern_put(&gateway->texts, told->frame),
                            earlier};
    idmap_put(&gateway->owner_index, (uint64_t) told->pid, (uint32_t) gateway->owners.count);
}

/* What kind of witness a verdict asks: a crash where it was, a slow page where it was stuck. */
static enum gateway_owner_kind kind_for(enum gateway_verdict verdict)
{
    switch (verdict) {
    case VERDICT_request_timeout_killed:
    case VERDICT_php_read_timeout:
    case VERDICT_varnish_first_byte_timeout:
        return GATEWAY_OWNER_STUCK;
    case VERDICT_worker_oom_killed:
    case VERDICT_php_memory_limit:
        return GATEWAY_OWNER_MEMORY;
    default:
        return GATEWAY_OWNER_CRASH;
    }
}

static const struct owner *owner_of_death(const struct gateway *gateway,
                                          enum gateway_owner_kind kind, const struct death *death)
{
    int64_t from_us = death->time_us - SAME_DEATH_US;

    if (kind == GATEWAY_OWNER_CRASH)
        return owner_find(gateway, kind, death->pid, from_us, death->time_us + SAME_DEATH_US);
    /* Of this request and no earlier one of the same worker. */
    if (death->request.method)
        from_us = death->request.begin_us;
    else if (death->ran_us > 0)
        from_us = death->time_us - death->ran_us - SECOND_US;
    return owner_find(gateway, kind, death->pid, from_us, death->time_us + 2 * SECOND_US);
}

static const struct owner *owner_of_served(const struct gateway *gateway,
                                           enum gateway_owner_kind kind,
                                           const struct served *served)
{
    return kind == GATEWAY_OWNER_CRASH ? NULL
                                       : owner_find(gateway, kind, served->pid, served->begin_us,
                                                    served->end_us + SECOND_US);
}

void owners_fill_row(const struct gateway *gateway, const struct evidence *e,
                     struct gateway_row *row)
{
    const enum gateway_owner_kind kind = kind_for(row->verdict);
    const struct owner *owner = NULL;

    /* Among several workers nobody knows whose stack was this request's. */
    if (row->innocent || (row->join == JOIN_AMBIGUOUS && row->pid_count != 1))
        return;
    if (e->death || e->later)
        owner = owner_of_death(gateway, kind, e->death ? e->death : e->later);
    else if (e->served)
        owner = owner_of_served(gateway, kind, e->served);
    if (!owner)
        return;
    row->module = gateway_text(gateway, owner->module);
    row->frame = gateway_text(gateway, owner->frame);
}
