/* summary_blame.c - read one stack: who is to blame, and how it is printed. */
#include "analyze/summary/stack_fold.h"
#include "analyze/summary/summary_parts.h"

enum { NATIVE_FRAMES_SHOWN = 4, FRAME_TEXT_BYTES = 512 };

/* "zif_dom_document_save (dom.so)" and so on: enough of the native end to recognise it. */
static void add_native(const struct intern *texts, const struct stack_row *stack,
                       struct stack_opinion *opinion)
{
    for (uint16_t i = 0; i < stack->native_count && i < NATIVE_FRAMES_SHOWN; i++)
        opinion->frames.items[opinion->frames.count++] = intern_text(texts, stack->native[i]);
    opinion->native_count = opinion->frames.count;
}

static void add_text(struct stack_opinion *opinion, struct slice text)
{
    if (opinion->frames.count < SUMMARY_STACK_FRAMES)
        opinion->frames.items[opinion->frames.count++] = text;
}

static struct slice human_frame(struct summary *summary, const struct stack_row *stack,
                                size_t index)
{
    char text[FRAME_TEXT_BYTES];
    size_t len = php_frame_text(intern_text(&summary->texts, stack->php[index]), text, sizeof text);

    return arena_copy(&summary->arena, (struct slice){.ptr = text, .len_bytes = len});
}

/* Innermost first; what repeats is printed once, with how often it stands there. */
static void add_php(struct summary *summary, const struct stack_row *stack,
                    struct stack_opinion *opinion)
{
    for (size_t at = 0; at < stack->php_count;) {
        size_t times, period = stack_fold_period(stack->php, stack->php_count, at, &times);

        for (size_t i = 0; i < (period ? period : 1); i++)
            add_text(opinion, human_frame(summary, stack, at + i));
        if (period)
            add_text(opinion, arena_format(&summary->arena, "{the last %zu frame%s %zu times more}",
                                           period, period == 1 ? "" : "s", times - 1));
        at += period ? period * times : 1;
    }
}

/* "Acme\\ErpSync\\Push::send (Push.php:41)", or nothing. */
static struct slice named_frame(struct summary *summary, const struct stack_row *stack, int frame)
{
    return frame >= 0 && frame < stack->php_count ? human_frame(summary, stack, (size_t) frame)
                                                  : SLICE("");
}

/* Without native frames the blame can only say "(internal)", which tells a reader nothing. */
static struct slice library_name(struct summary *summary, const char *name)
{
    return name[0] == '(' ? SLICE("") : arena_copy(&summary->arena, slice_of(name));
}

void summary_judge(struct summary *summary, const struct stack_row *stack,
                   enum blame_question question, struct blame *ret_blame)
{
    struct slice php[EVENT_FRAMES_MAX], native[EVENT_FRAMES_MAX];
    const struct intern *texts = &summary->texts;

    for (uint16_t i = 0; i < stack->php_count; i++)
        php[i] = intern_text(texts, stack->php[i]);
    for (uint16_t i = 0; i < stack->native_count; i++)
        native[i] = intern_text(texts, stack->native[i]);
    const struct blame_stack whole = {.php = php,
                                      .php_count = stack->php_count,
                                      .native = native,
                                      .native_count = stack->native_count,
                                      .owner = intern_text(texts, stack->shared_object)};

    blame_stack(summary->options.rules, &whole, question, ret_blame);
}

struct stack_opinion summary_opinion(struct summary *summary, const struct stack_row *stack,
                                     enum blame_question question)
{
    struct stack_opinion opinion = {0};
    struct blame blame;

    summary_judge(summary, stack, question, &blame);
    add_native(&summary->texts, stack, &opinion);
    add_php(summary, stack, &opinion);
    opinion.allocated_in = library_name(summary, blame.allocated_in);
    opinion.php_leaf = named_frame(summary, stack, blame.internal);
    if (blame.found == BLAME_NOBODY)
        return opinion;
    opinion.module = arena_copy(&summary->arena, slice_of(blame.module.name));
    opinion.tier = slice_of(module_tier_text(blame.module.tier));
    opinion.blamed_frame = named_frame(summary, stack, blame.frame);
    return opinion;
}
