/* gateway_owners.c - which module a dead worker was in: told from outside, found by worker. */
#include <stdlib.h>

#include "analyze/gateway_parts.h"

enum { OWNERS_MAX = 65536, SAME_DEATH_US = 60 * SECOND_US /* writing a core takes time */ };

struct owner {
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

void gateway_note_owner(struct gateway *gateway, const struct gateway_owner *told)
{
    struct owner *owner = array_add(&gateway->owners);
    uint32_t earlier = 0;

    if (!owner)
        return;
    idmap_get(&gateway->owner_index, (uint64_t) told->pid, &earlier);
    *owner = (struct owner){told->pid, told->time_us, intern_put(&gateway->texts, told->module),
                            intern_put(&gateway->texts, told->frame), earlier};
    idmap_put(&gateway->owner_index, (uint64_t) told->pid, (uint32_t) gateway->owners.count);
}

void owners_fill_row(const struct gateway *gateway, const struct death *death,
                     struct gateway_row *row)
{
    uint32_t at = 0;

    idmap_get(&gateway->owner_index, (uint64_t) death->pid, &at);
    while (at > 0) {
        const struct owner *owner = GATEWAY_AT(gateway, owners, owner, at - 1);

        if (llabs(owner->time_us - death->time_us) <= SAME_DEATH_US) {
            row->module = gateway_text(gateway, owner->module);
            row->frame = gateway_text(gateway, owner->frame);
            return;
        }
        at = owner->earlier;
    }
}
