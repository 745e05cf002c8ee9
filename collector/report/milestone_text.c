/* milestone_text.c - see milestone_text.h. */
#include "report/milestone_text.h"

#include "report/human.h"
#include "report/json_text.h"
#include "report/text_sink.h"

void milestone_say(FILE *out, const struct milestone *milestone, int64_t time_us)
{
    char gap[HUMAN_TIME_BYTES];

    fprintf(out, "%s after ", human_duration(time_us - milestone->time_us, gap, sizeof gap));
    if (milestone->kind == MILESTONE_MARK)
        text_sink_say(out, "mark '", milestone->name, "'");
    else
        fputs("a restart of php-fpm", out);
}

json_t *milestone_json(const struct milestone *milestone)
{
    json_t *object;

    if (!milestone)
        return json_null();
    object = json_object();
    json_object_set_new(object, "time_us", json_integer((json_int_t) milestone->time_us));
    if (milestone->kind == MILESTONE_MARK)
        json_object_set_new(object, "name", json_text(milestone->name));
    json_object_set_new(object, "requests_before",
                        json_integer((json_int_t) milestone->requests_before));
    return object;
}
