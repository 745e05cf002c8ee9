/*
 * route_table.c - a tree of segments whose bushy places are folded into `{*}`.
 *
 * Nodes live in one array and know each other by index; children are found through a hash of
 * (parent, shape, label).  Index 0 is the root, and as a link it means "none".
 */
#include "analyze/route/route_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/idmap.h"
#include "base/intern.h"
#include "base/text_out.h"

enum {
    DEFAULT_ROUTES = 1024,
    DEFAULT_CHILDREN = 64,
    NODES_PER_ROUTE = 8,
    KEEP_SHARE = 16, /* a child with 1/16 of its shape's hits is a page of its own */
};

/* How a segment stands in its path; siblings are counted by it. */
enum shape {
    SHAPE_FOLDER,
    SHAPE_PAGE,
    SHAPE_SLASH,
    SHAPE_HTML, /* from here on: the extensions below */
    SHAPE_HTM,
    SHAPE_PHP,
    SHAPE_JSON,
    SHAPE_XML,
    SHAPE_COUNT
};

static const struct slice shape_extensions[SHAPE_COUNT] = {
    [SHAPE_HTML] = {.ptr = ".html", .len_bytes = 5},
    [SHAPE_HTM] = {.ptr = ".htm", .len_bytes = 4},
    [SHAPE_PHP] = {.ptr = ".php", .len_bytes = 4},
    [SHAPE_JSON] = {.ptr = ".json", .len_bytes = 5},
    [SHAPE_XML] = {.ptr = ".xml", .len_bytes = 4},
};

struct node {
    char *label; /* NULL: the node is free */
    uint32_t parent, first_child, next_sibling;
    uint64_t hits;
    enum shape shape;
    bool counted; /* in its parent's children[] */
    bool route;   /* a live name ends here */
    bool folded[SHAPE_COUNT];
    uint32_t children[SHAPE_COUNT]; /* counted ones */
    uint64_t child_hits[SHAPE_COUNT];
};

struct route_table {
    struct node *nodes;
    uint32_t node_limit, used; /* nodes[used..] were never used */
    uint32_t free_list;        /* linked by next_sibling */
    struct idmap index;
    struct route_table_limits limits;
    struct route_table_stats stats;
};

struct route_table *route_table_new(const struct route_table_limits *limits)
{
    struct route_table *table = calloc(1, sizeof *table);

    if (!table)
        return NULL;
    table->limits = *limits;
    if (table->limits.max_routes == 0)
        table->limits.max_routes = DEFAULT_ROUTES;
    if (table->limits.max_nodes == 0)
        table->limits.max_nodes = NODES_PER_ROUTE * table->limits.max_routes;
    if (table->limits.max_children == 0)
        table->limits.max_children = DEFAULT_CHILDREN;
    table->node_limit = table->limits.max_nodes + 1; /* the root is free of charge */
    table->nodes = calloc(table->node_limit, sizeof *table->nodes);
    table->used = 1;
    table->stats.max_children = table->limits.max_children;
    idmap_init(&table->index, table->node_limit);
    if (!table->nodes) {
        route_table_free(table);
        return NULL;
    }
    return table;
}

void route_table_free(struct route_table *table)
{
    if (!table)
        return;
    for (uint32_t i = 1; table->nodes && i < table->used; i++)
        free(table->nodes[i].label);
    idmap_release(&table->index);
    free(table->nodes);
    free(table);
}

struct route_table_stats route_table_stats(const struct route_table *table)
{
    return table->stats;
}

static uint64_t child_key(uint32_t parent, enum shape shape, struct slice label)
{
    return idmap_mix(intern_hash(label) ^ idmap_mix((uint64_t) parent * SHAPE_COUNT + shape));
}

static uint64_t node_key(const struct node *node)
{
    return child_key(node->parent, node->shape, slice_of(node->label));
}

/* 0: there is no such child. */
static uint32_t child_find(const struct route_table *table, uint32_t parent, enum shape shape,
                           struct slice label)
{
    const struct node *node;
    uint32_t i;

    if (!idmap_get(&table->index, child_key(parent, shape, label), &i))
        return 0;
    node = &table->nodes[i];
    return node->parent == parent && node->shape == shape &&
                   slice_equal(slice_of(node->label), label)
               ? i
               : 0;
}

/* Another child has the same hash (somebody tries): this one must do without a name. */
static bool key_is_taken(const struct route_table *table, uint32_t parent, enum shape shape,
                         struct slice label)
{
    uint32_t i;

    return idmap_get(&table->index, child_key(parent, shape, label), &i);
}

static uint32_t node_take(struct route_table *table)
{
    const uint32_t i = table->free_list;

    if (i != 0) {
        table->free_list = table->nodes[i].next_sibling;
        return i;
    }
    return table->used < table->node_limit ? table->used++ : 0;
}

static void node_give(struct route_table *table, uint32_t i)
{
    table->nodes[i] = (struct node){.next_sibling = table->free_list};
    table->free_list = i;
}

/* A new child; 0 when the table is full. */
static uint32_t child_add(struct route_table *table, uint32_t parent, enum shape shape,
                          struct slice label, bool counted)
{
    const uint32_t i = node_take(table);
    struct node *node = &table->nodes[i];

    if (i == 0)
        return 0;
    *node = (struct node){.label = strndup(label.ptr, label.len_bytes),
                          .parent = parent,
                          .shape = shape,
                          .counted = counted,
                          .next_sibling = table->nodes[parent].first_child};
    if (!node->label || idmap_put(&table->index, child_key(parent, shape, label), i) < 0) {
        free(node->label);
        node_give(table, i);
        return 0;
    }
    table->nodes[parent].first_child = i;
    table->nodes[parent].children[shape] += counted;
    table->stats.nodes++;
    return i;
}

/* Free a node and all below it; its parent's list is the caller's business. */
static void subtree_remove(struct route_table *table, uint32_t i)
{
    struct node *node = &table->nodes[i];

    for (uint32_t child = node->first_child, next; child != 0; child = next) {
        next = table->nodes[child].next_sibling;
        subtree_remove(table, child);
    }
    idmap_remove(&table->index, node_key(node));
    table->stats.routes -= node->route;
    table->stats.folded_routes += node->route;
    table->stats.nodes--;
    free(node->label);
    node_give(table, i);
}

static bool keeps_name(const struct route_table *table, const struct node *parent,
                       const struct node *child)
{
    const uint64_t share =
        table->stats.max_children < KEEP_SHARE ? table->stats.max_children : KEEP_SHARE;

    return child->hits * share >= parent->child_hits[child->shape];
}

/* From now on children of this shape are {*}; the few that matter keep their names. */
static void fold(struct route_table *table, uint32_t parent, enum shape shape)
{
    struct node *node = &table->nodes[parent];
    uint32_t *link = &node->first_child;

    node->folded[shape] = true;
    while (*link != 0) {
        const uint32_t i = *link;
        struct node *child = &table->nodes[i];

        if (child->shape != shape || !child->counted || keeps_name(table, node, child)) {
            link = &child->next_sibling;
            continue;
        }
        *link = child->next_sibling;
        node->children[shape]--;
        subtree_remove(table, i);
    }
}

/* Allow half as many children everywhere; false when there is nothing left to halve. */
static bool coarsen(struct route_table *table)
{
    if (table->stats.max_children <= 1)
        return false;
    table->stats.max_children /= 2;
    for (uint32_t i = 0; i < table->used; i++)
        for (int shape = 0; shape < SHAPE_COUNT; shape++)
            if ((i == 0 || table->nodes[i].label) &&
                table->nodes[i].children[shape] > table->stats.max_children)
                fold(table, i, (enum shape) shape);
    return true;
}

/* What folded children of each shape are called. */
static const struct slice stars[SHAPE_COUNT] = {
    [SHAPE_FOLDER] = {.ptr = "{*}", .len_bytes = 3},
    [SHAPE_PAGE] = {.ptr = "{*}", .len_bytes = 3},
    [SHAPE_SLASH] = {.ptr = "{*}", .len_bytes = 3},
    [SHAPE_HTML] = {.ptr = "{*}.html", .len_bytes = 8},
    [SHAPE_HTM] = {.ptr = "{*}.htm", .len_bytes = 7},
    [SHAPE_PHP] = {.ptr = "{*}.php", .len_bytes = 7},
    [SHAPE_JSON] = {.ptr = "{*}.json", .len_bytes = 8},
    [SHAPE_XML] = {.ptr = "{*}.xml", .len_bytes = 7},
};

static uint32_t star_child(struct route_table *table, uint32_t parent, enum shape shape)
{
    const uint32_t i = child_find(table, parent, shape, stars[shape]);

    return i != 0 ? i : child_add(table, parent, shape, stars[shape], false);
}

/* Placeholders ({id}) stand for many already. */
static bool is_counted(struct slice label)
{
    return !slice_starts(label, SLICE("{"));
}

/* Go one segment down; 0 when the table is full. */
static uint32_t step(struct route_table *table, uint32_t parent, enum shape shape,
                     struct slice label)
{
    const bool counted = is_counted(label);
    uint32_t i = child_find(table, parent, shape, label);

    table->nodes[parent].child_hits[shape]++;
    if (i == 0 && counted && !table->nodes[parent].folded[shape] &&
        table->nodes[parent].children[shape] >= table->stats.max_children)
        fold(table, parent, shape);
    if (i == 0 && counted &&
        (table->nodes[parent].folded[shape] || key_is_taken(table, parent, shape, label)))
        i = star_child(table, parent, shape);
    else if (i == 0)
        i = child_add(table, parent, shape, label, counted);
    if (i != 0)
        table->nodes[i].hits++;
    return i;
}

static enum shape shape_of(struct slice label, bool last, bool slash)
{
    if (!last)
        return SHAPE_FOLDER;
    if (slash)
        return SHAPE_SLASH;
    for (int shape = SHAPE_HTML; shape < SHAPE_COUNT; shape++) {
        const struct slice extension = shape_extensions[shape];

        if (label.len_bytes > extension.len_bytes &&
            slice_equal(slice_skip(label, label.len_bytes - extension.len_bytes), extension))
            return (enum shape) shape;
    }
    return SHAPE_PAGE;
}

/* One segment of a path, and what is left of it. */
struct segment {
    struct slice label, rest;
    enum shape shape;
    bool last, slash;
};

static struct segment first_segment(struct slice path)
{
    const ptrdiff_t slash = slice_index(path, '/');
    const size_t n = slash < 0 ? path.len_bytes : (size_t) slash;
    struct segment segment = {.label = slice_head(path, n),
                              .rest = slice_skip(path, n + 1),
                              .last = slash < 0 || n + 1 == path.len_bytes,
                              .slash = slash >= 0};

    segment.shape = shape_of(segment.label, segment.last, segment.slash);
    return segment;
}

static void add_segment(struct text_out *name, const struct segment *segment, struct slice label)
{
    text_out_byte(name, '/');
    text_out_add(name, label);
    if (segment->last && segment->slash)
        text_out_byte(name, '/');
}

/* Walk `path` (without its first slash) down and write the name; 0 when the table is full. */
static uint32_t walk(struct route_table *table, struct slice path, struct text_out *name)
{
    struct segment segment;
    uint32_t node = 0;

    do {
        segment = first_segment(path);
        node = step(table, node, segment.shape, segment.label);
        if (node == 0)
            return 0;
        add_segment(name, &segment, slice_of(table->nodes[node].label));
        path = segment.rest;
    } while (!segment.last);
    return node;
}

/* Make `node` a live name; false when there are too many. */
static bool make_route(struct route_table *table, uint32_t node)
{
    if (table->nodes[node].route)
        return true;
    if (table->stats.routes >= table->limits.max_routes)
        return false;
    table->nodes[node].route = true;
    table->stats.routes++;
    return true;
}

void route_table_hit(struct route_table *table, const struct route *route, struct route *ret_name)
{
    const struct slice path = slice_skip(route_slice(route), 1);
    struct route name; /* apart, because ret_name may be route */
    struct text_out out;
    bool done;

    do {
        uint32_t node;

        out = text_out_into(name.text, sizeof name.text);
        node = walk(table, path, &out);
        done = node != 0 && !out.cut && make_route(table, node);
    } while (!done && !out.cut && coarsen(table));
    if (!done) {
        out = text_out_into(name.text, sizeof name.text);
        text_out_add(&out, SLICE("{other}"));
        table->stats.other_hits++;
    }
    memcpy(ret_name->text, name.text, out.len_bytes + 1);
    ret_name->len_bytes = out.len_bytes;
}

void route_table_name(const struct route_table *table, const struct route *route,
                      struct route *ret_name)
{
    struct slice path = slice_skip(route_slice(route), 1);
    struct route name;
    struct text_out out = text_out_into(name.text, sizeof name.text);
    struct segment segment;
    uint32_t node = 0;
    bool known = true; /* below a segment that the table never saw, nothing is folded */

    do {
        segment = first_segment(path);
        uint32_t child = known ? child_find(table, node, segment.shape, segment.label) : 0;

        if (known && child == 0 && is_counted(segment.label) &&
            table->nodes[node].folded[segment.shape]) {
            segment.label = stars[segment.shape];
            child = child_find(table, node, segment.shape, segment.label);
        }
        add_segment(&out, &segment, segment.label);
        known = child != 0;
        node = child;
        path = segment.rest;
    } while (!segment.last);
    memcpy(ret_name->text, name.text, out.len_bytes + 1);
    ret_name->len_bytes = out.len_bytes;
}
