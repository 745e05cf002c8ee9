/* gateway_counts.c - the gateway's part of `summary --json`. */
#include "report/gateway_counts.h"

enum { HTTP_SERVER_ERROR = 500, HTTP_LAST = 599 };

static json_int_t count_5xx(const struct gateway_report *report)
{
    json_int_t count = 0;

    for (size_t i = 0; i < report->row_count; i++)
        count += report->rows[i].client_status >= HTTP_SERVER_ERROR &&
                 report->rows[i].client_status <= HTTP_LAST;
    return count;
}

json_t *summary_json_gateway(const struct gateway_report *report)
{
    json_t *gateway = json_object(), *counts = json_object();

    for (int i = 0; i < VERDICT_COUNT; i++)
        if (report->count_by_verdict[i] > 0)
            json_object_set_new(counts, gateway_verdict_name((enum gateway_verdict) i),
                                json_integer((json_int_t) report->count_by_verdict[i]));
    json_object_set_new(gateway, "count_by_verdict", counts);
    json_object_set_new(gateway, "requests_5xx", json_integer(count_5xx(report)));
    json_object_set_new(gateway, "deaths_without_5xx",
                        json_integer((json_int_t) report->death_count));
    return gateway;
}
