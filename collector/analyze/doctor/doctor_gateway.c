/* doctor_gateway.c - nginx: is php-fpm told each request's id, is it logged, do headers fit. */
#include "analyze/doctor/doctor.h"

#include <stdio.h>
#include <string.h>

#include "analyze/doctor/doctor_commands.h"
#include "analyze/doctor/doctor_names.h"

enum { FASTCGI_HEADERS_BYTES = 16 << 10, PROXY_HEADERS_BYTES = 16 << 10 };

/* True, and says so, when there is no configuration to judge. */
static bool not_known(const struct doctor_host *host, struct doctor_finding *finding)
{
    if (host->nginx.known)
        return false;
    doctor_skip(finding, "%s",
                host->nginx.why_unknown ? host->nginx.why_unknown : "nginx does not run here");
    return true;
}

void doctor_check_nginx(const struct doctor_host *host, struct doctor_finding *finding)
{
    size_t fastcgi = 0;

    if (not_known(host, finding)) {
        if (host->nginx.pid > 0)
            doctor_fix(finding, "run fpmscope doctor as root, so that it may ask nginx -T");
        return;
    }
    for (size_t i = 0; i < host->nginx.hops.count; i++)
        fastcgi += doctor_hop_at(host, i)->fastcgi;
    if (host->nginx.pid <= 0)
        doctor_raise(finding, DOCTOR_WARN, "nginx does not run; its configuration was read");
    doctor_say(finding, "%zu x fastcgi_pass, %zu x proxy_pass, %lld x access_log", fastcgi,
               host->nginx.hops.count - fastcgi, (long long) host->nginx.access_logs);
    if (host->nginx.masters > 1)
        doctor_say(finding,
                   "%lld nginx masters run, the first was asked (--nginx PID names another)",
                   (long long) host->nginx.masters);
    if (fastcgi == 0)
        doctor_raise(finding, DOCTOR_WARN, "none of its blocks hands requests to php-fpm");
    if (host->nginx.skipped > 0)
        doctor_raise(finding, DOCTOR_WARN, "parts of it could not be read (%lld)",
                     (long long) host->nginx.skipped);
}

static const char *server_of(const struct doctor_hop *hop)
{
    return hop->server && hop->server[0] ? hop->server : "its server";
}

static void say_untold(const struct doctor_hop *hop, struct doctor_finding *finding)
{
    if (!hop->fastcgi) {
        doctor_raise(
            finding, DOCTOR_WARN,
            "%s: the id is not passed on through Varnish, the server behind it makes another",
            hop->where);
        return;
    }
    doctor_raise(finding, DOCTOR_WARN, "%s: php-fpm is not told the id of requests%s (%s)",
                 hop->where,
                 hop->hides_request_id ? ": a fastcgi_param of the block itself hides "
                                         "the one further out"
                                       : "",
                 server_of(hop));
}

/* Our own words first, then where it was seen: a hostile name cannot push them out. */
static void fix_fastcgi_id(const struct doctor_host *host, const struct doctor_names *untold,
                           struct doctor_finding *finding)
{
    char names[DOCTOR_NAMES_TEXT_BYTES];
    char command[DOCTOR_COMMAND_BYTES], place[DOCTOR_COMMAND_BYTES];

    if (untold->count == 0)
        return;
    doctor_fix_also(
        finding, "fastcgi_param REQUEST_ID $request_id;    # %s; then: %s",
        doctor_command(host, DOCTOR_COMMAND_PLACE_OF_PARAM, doctor_names_text(untold, 0, names),
                       place, sizeof place),
        doctor_command(host, DOCTOR_COMMAND_RELOAD_NGINX, NULL, command, sizeof command));
}

static void fix_proxy_id(const struct doctor_names *untold, struct doctor_finding *finding)
{
    char names[DOCTOR_NAMES_TEXT_BYTES];

    if (untold->count > 0)
        doctor_fix_also(finding,
                        "proxy_set_header X-Request-Id $request_id;    # beside the proxy_pass in "
                        "%s, and behind Varnish: fastcgi_param REQUEST_ID $http_x_request_id;",
                        doctor_names_text(untold, 0, names));
}

void doctor_check_request_id(const struct doctor_host *host, struct doctor_finding *finding)
{
    struct doctor_names untold_fastcgi = {.count = 0}, untold_proxy = {.count = 0};
    size_t passed = 0, fastcgi = 0;

    if (not_known(host, finding))
        return;
    for (size_t i = 0; i < host->nginx.hops.count; i++) {
        const struct doctor_hop *hop = doctor_hop_at(host, i);

        fastcgi += hop->fastcgi;
        passed += hop->fastcgi && hop->has_request_id;
        if (hop->has_request_id || (!hop->fastcgi && !hop->to_varnish))
            continue;
        say_untold(hop, finding);
        doctor_names_add(hop->fastcgi ? &untold_fastcgi : &untold_proxy, hop->where);
    }
    fix_fastcgi_id(host, &untold_fastcgi, finding);
    fix_proxy_id(&untold_proxy, finding);
    if (fastcgi == 0)
        doctor_skip(finding, "no fastcgi_pass in nginx's configuration");
    else
        doctor_say(finding, "%zu of %zu blocks with fastcgi_pass tell it", passed, fastcgi);
}

void doctor_check_id_logged(const struct doctor_host *host, struct doctor_finding *finding)
{
    const struct array *without = &host->nginx.access_logs_without_id;

    if (not_known(host, finding))
        return;
    if (host->nginx.access_logs == 0) {
        doctor_raise(finding, DOCTOR_WARN, "nginx writes no access log");
        doctor_fix(finding, "access_log /var/log/nginx/access.log;    # in nginx's http block");
        return;
    }
    for (size_t i = 0; i < without->count; i++)
        doctor_raise(finding, DOCTOR_WARN, "%s: its log_format has no $request_id",
                     *(const char **) array_at(without, i));
    doctor_say(finding, "%lld of %lld access logs have it",
               (long long) (host->nginx.access_logs - (int64_t) without->count),
               (long long) host->nginx.access_logs);
    if (finding->state > DOCTOR_OK)
        doctor_fix(finding,
                   /* Several strings: it may be broken at blanks and stays one format. */
                   "put $request_id into the log_format, or beside the log that is there: "
                   "log_format fpmscope escape=json '{\"time\":\"$msec\",' "
                   "'\"request\":\"$request\",' '\"status\":\"$status\",' "
                   "'\"host\":\"$host\",' '\"remote_addr\":\"$remote_addr\",' "
                   "'\"request_time\":\"$request_time\",' "
                   "'\"upstream_status\":\"$upstream_status\",' "
                   "'\"request_id\":\"$request_id\"}'; "
                   "access_log /var/log/nginx/fpmscope.log fpmscope;");
}

static void judge_buffer(const struct doctor_host *host, const struct doctor_hop *hop,
                         struct doctor_finding *finding)
{
    const int64_t wanted_bytes = hop->fastcgi ? FASTCGI_HEADERS_BYTES : PROXY_HEADERS_BYTES;
    char command[DOCTOR_COMMAND_BYTES];

    if (hop->buffer_size_bytes >= wanted_bytes)
        return;
    doctor_raise(
        finding, DOCTOR_WARN,
        "%s: %s_buffer_size is %lld bytes: cookies and cache tags of a shop need 16k, more "
        "is answered with 502",
        hop->where, hop->fastcgi ? "fastcgi" : "proxy", (long long) hop->buffer_size_bytes);
    doctor_fix_also(
        finding, "%s",
        doctor_command(host,
                       hop->fastcgi ? DOCTOR_COMMAND_FASTCGI_HEADERS : DOCTOR_COMMAND_PROXY_HEADERS,
                       NULL, command, sizeof command));
}

void doctor_check_header_buffers(const struct doctor_host *host, struct doctor_finding *finding)
{
    if (not_known(host, finding))
        return;
    for (size_t i = 0; i < host->nginx.hops.count; i++) {
        const struct doctor_hop *hop = doctor_hop_at(host, i);

        if (hop->fastcgi || hop->to_varnish)
            judge_buffer(host, hop, finding);
    }
    if (finding->evidence_count == 0)
        doctor_say(finding, "16k and more for each fastcgi_pass");
}
