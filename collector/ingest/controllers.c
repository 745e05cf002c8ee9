/*
 * controllers.c - which controller answered a request, as far as its stacks tell.
 *
 * A stack is announced once and used by many requests, so its controller and its template are
 * worked out once, and remembered by the stack's id for as long as the collector lives.
 *
 * Magento 2 renders a page after its controller has returned: most stacks show a template and no
 * controller.  Requests that show both are lessons, for URIs of one shape.  A template speaks for
 * a controller when
 *
 *   it was seen with it, and with no other        LESSONS_MIN times at least
 *   others answered, and did not show it          LESSONS_MIN times at least
 *
 * The second tells the template of a page from a header that all pages have: while one controller
 * only is known nothing is concluded.  What was concluded is no lesson.
 */
#include <xxhash.h>

#include "ingest/ingest_internal.h"

enum {
    CONTROLLER_BYTES = 256,
    LESSONS_MIN = 8,
    LESSONS_BITS = 4, /* of a lesson: how often it was learned, up to 15 */
    LESSONS_MASK = (1 << LESSONS_BITS) - 1,
};

#define MANY UINT32_MAX /* in the place of a lesson: different controllers */

static void learn(struct ingest *ingest, struct idmap *map, int64_t stack,
                  const struct event_list *frames, ingest_name_fn name_fn)
{
    char name[CONTROLLER_BYTES];
    text_id number;

    if (!name_fn || idmap_get(map, (uint64_t) stack, &number) ||
        !name_fn(frames->items, frames->count, name, sizeof name))
        return;
    number = intern_put(&ingest->controller_names, slice_of(name));
    if (number == 0 || idmap_put(map, (uint64_t) stack, number) < 0)
        ingest_count(ingest, "refused_controllers", 1);
}

void ingest_learn_controller(struct ingest *ingest, int64_t stack, struct slice php)
{
    if (stack == 0 || (!ingest->policy.name_controller && !ingest->policy.name_template))
        return;
    const struct event_list frames = ingest_frames_of(php);

    learn(ingest, &ingest->controllers, stack, &frames, ingest->policy.name_controller);
    learn(ingest, &ingest->templates, stack, &frames, ingest->policy.name_template);
}

static void add_template(struct worker_controller *seen, text_id template)
{
    for (size_t i = 0; i < seen->template_count; i++)
        if (seen->templates[i] == template)
            return;
    if (seen->template_count < WORKER_TEMPLATES_MAX)
        seen->templates[seen->template_count++] = template;
}

/* The first that is seen stays: a controller that forwards is the one that was asked. */
void ingest_note_controller(struct ingest *ingest, struct worker *worker, uint64_t seq,
                            int64_t stack)
{
    struct worker_controller *seen = &worker->controller;
    text_id name;

    if (stack == 0)
        return;
    if (seen->seq != seq)
        *seen = (struct worker_controller){.seq = seq};
    if (seen->name == 0 && idmap_get(&ingest->controllers, (uint64_t) stack, &name))
        seen->name = name;
    if (idmap_get(&ingest->templates, (uint64_t) stack, &name))
        add_template(seen, name);
}

/* How deep the path is, and its extension: /a/b.html is not /a/b/ nor /a.html. */
static uint64_t shape_of(struct slice uri)
{
    uint64_t depth = 0;
    size_t dot = 0;

    for (size_t i = 0; i < uri.len_bytes; i++) {
        if (memchr("?#", uri.ptr[i], 2)) {
            uri.len_bytes = i;
        } else if (uri.ptr[i] == '/') {
            depth++;
            dot = 0;
        } else if (uri.ptr[i] == '.') {
            dot = i;
        }
    }
    uri = slice_skip(uri, dot ? dot : uri.len_bytes);
    return XXH3_64bits_withSeed(uri.ptr ? uri.ptr : "", uri.len_bytes, depth);
}

/* Keys of `lessons`: a template in a shape, a controller in a shape, and the shape's total. */
static uint64_t template_key(uint64_t shape, text_id template)
{
    return idmap_mix(shape ^ idmap_mix(template));
}

static uint64_t answers_key(uint64_t shape, text_id controller)
{
    return idmap_mix(~shape ^ idmap_mix(controller));
}

static void put_lesson(struct ingest *ingest, uint64_t key, uint32_t value)
{
    if (idmap_put(&ingest->lessons, key, value) < 0)
        ingest_count(ingest, "refused_controllers", 1);
}

/* Requests of the shape that were answered by the controller (0: by any) and showed a template. */
static uint32_t answers(const struct ingest *ingest, uint64_t shape, text_id controller)
{
    uint32_t count = 0;

    idmap_get(&ingest->lessons, answers_key(shape, controller), &count);
    return count;
}

static void teach_template(struct ingest *ingest, uint64_t key, text_id controller)
{
    uint32_t lesson = 0;

    if (idmap_get(&ingest->lessons, key, &lesson) &&
        (lesson == MANY || lesson >> LESSONS_BITS != controller))
        lesson = MANY;
    else if ((lesson & LESSONS_MASK) < LESSONS_MASK)
        lesson = controller << LESSONS_BITS | ((lesson & LESSONS_MASK) + 1);
    put_lesson(ingest, key, lesson);
}

static void teach(struct ingest *ingest, const struct worker_controller *seen, uint64_t shape)
{
    const text_id counted[] = {0, seen->name};

    for (size_t i = 0; i < 2 && seen->template_count > 0; i++) {
        const uint32_t count = answers(ingest, shape, counted[i]);

        if (count < UINT32_MAX)
            put_lesson(ingest, answers_key(shape, counted[i]), count + 1);
    }
    for (size_t i = 0; i < seen->template_count; i++)
        teach_template(ingest, template_key(shape, seen->templates[i]), seen->name);
}

/* 0: it does not know. */
static text_id ask(const struct ingest *ingest, const struct worker_controller *seen,
                   uint64_t shape)
{
    for (size_t i = 0; i < seen->template_count; i++) {
        uint32_t lesson;

        if (!idmap_get(&ingest->lessons, template_key(shape, seen->templates[i]), &lesson) ||
            lesson == MANY || (lesson & LESSONS_MASK) < LESSONS_MIN)
            continue;
        lesson >>= LESSONS_BITS;
        if (answers(ingest, shape, 0) - answers(ingest, shape, lesson) >= LESSONS_MIN)
            return lesson;
    }
    return 0;
}

struct slice ingest_controller(struct ingest *ingest, const struct worker *worker, uint64_t seq,
                               struct slice uri)
{
    const struct worker_controller *seen = &worker->controller;
    const uint64_t shape = shape_of(uri);
    text_id name = seen->name;

    if (seen->seq != seq)
        return SLICE("");
    if (name)
        teach(ingest, seen, shape);
    else
        name = ask(ingest, seen, shape);
    return name ? intern_text(&ingest->controller_names, name) : SLICE("");
}
