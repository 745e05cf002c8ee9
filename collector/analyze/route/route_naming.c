/* route_naming.c - see route_naming.h. */
#include "analyze/route/route_naming.h"

#include <errno.h>

enum { TEMPLATES_MAX = 65536, FOLDED_MAX = 4096, VOTES_MIN = 8 };

#define MANY UINT32_MAX /* in the place of a controller: different ones */

/* Who answered the requests of a folded template, as far as their stacks showed. */
struct route_vote {
    text_id controller; /* or MANY */
    uint32_t count;
};

int route_naming_init(struct route_naming *naming, struct intern *texts)
{
    *naming = (struct route_naming){.texts = texts};
    idmap_init(&naming->by_template, TEMPLATES_MAX);
    idmap_init(&naming->by_folded, FOLDED_MAX);
    array_init(&naming->votes, sizeof(struct route_vote), FOLDED_MAX);
    naming->table = route_table_new(&(struct route_table_limits){0});
    return naming->table ? 0 : -ENOMEM;
}

void route_naming_release(struct route_naming *naming)
{
    array_release(&naming->votes);
    idmap_release(&naming->by_folded);
    idmap_release(&naming->by_template);
    route_table_free(naming->table);
}

static bool is_folded(struct slice name)
{
    return slice_find(name, SLICE("{*}")) >= 0 || slice_equal(name, SLICE("{other}"));
}

static text_id of_template(const struct route_naming *naming, const struct route *template)
{
    text_id controller = 0;

    idmap_get(&naming->by_template, intern_hash(route_slice(template)), &controller);
    return controller == MANY ? 0 : controller;
}

static void learn_template(struct route_naming *naming, const struct route *template,
                           text_id controller)
{
    const uint64_t key = intern_hash(route_slice(template));
    text_id known;

    if (!idmap_get(&naming->by_template, key, &known))
        naming->refused += idmap_put(&naming->by_template, key, controller) < 0;
    else if (known != controller)
        idmap_put(&naming->by_template, key, MANY);
}

/* NULL when nobody has voted yet. */
static struct route_vote *vote_of(const struct route_naming *naming, text_id folded)
{
    uint32_t index;

    return idmap_get(&naming->by_folded, folded, &index) ? array_at(&naming->votes, index) : NULL;
}

static void vote(struct route_naming *naming, text_id folded, text_id controller)
{
    struct route_vote *row = vote_of(naming, folded);

    if (!row && naming->votes.count < FOLDED_MAX) {
        row = array_add(&naming->votes);
        if (row && idmap_put(&naming->by_folded, folded, (uint32_t) naming->votes.count - 1) == 0)
            row->controller = controller;
    }
    if (!row) {
        naming->refused++;
        return;
    }
    if (row->controller != controller)
        row->controller = MANY;
    if (row->count < UINT32_MAX)
        row->count++;
}

/* What a folded template is called for this request. */
static text_id choose(const struct route_naming *naming, const struct route *template,
                      text_id folded, text_id controller)
{
    const struct route_vote *votes = vote_of(naming, folded);

    if (!controller)
        controller = of_template(naming, template);
    if (!controller && votes && votes->controller != MANY && votes->count >= VOTES_MIN)
        controller = votes->controller;
    return controller ? controller : folded;
}

text_id route_naming_hit(struct route_naming *naming, struct slice uri, struct slice controller)
{
    const text_id shown = intern_put(naming->texts, controller);
    struct route template, name;
    text_id id;

    if (uri.len_bytes == 0)
        return 0;
    route_of_uri(uri, &template);
    route_table_hit(naming->table, &template, &name);
    id = intern_put(naming->texts, route_slice(&name));
    if (shown)
        learn_template(naming, &template, shown);
    if (!is_folded(route_slice(&name)))
        return id;
    if (shown)
        vote(naming, id, shown);
    return choose(naming, &template, id, shown);
}

static text_id name_of(struct route_naming *naming, const struct route *template,
                       text_id controller)
{
    struct route name;
    text_id id;

    route_table_name(naming->table, template, &name);
    id = intern_put(naming->texts, route_slice(&name));
    return is_folded(route_slice(&name)) ? choose(naming, template, id, controller) : id;
}

text_id route_naming_name(struct route_naming *naming, struct slice uri, struct slice controller)
{
    struct route template;

    if (uri.len_bytes == 0)
        return 0;
    route_of_uri(uri, &template);
    return name_of(naming, &template, intern_put(naming->texts, controller));
}

text_id route_naming_settled(struct route_naming *naming, text_id name)
{
    const struct slice text = intern_text(naming->texts, name);
    struct route template = {.len_bytes = text.len_bytes};

    if (!slice_starts(text, SLICE("/")) || text.len_bytes >= sizeof template.text)
        return name;
    memcpy(template.text, text.ptr, text.len_bytes);
    return is_folded(text) ? choose(naming, &template, name, 0) : name_of(naming, &template, 0);
}
