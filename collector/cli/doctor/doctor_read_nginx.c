/* doctor_read_nginx.c - ask nginx for its configuration, take from it what concerns php-fpm. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyze/doctor/doctor_proc.h"
#include "base/proc.h"
#include "cli/doctor/doctor_readers.h"
#include "cli/input/nginx_dump.h"
#include "cli/input/small_file.h"
#include "logs/nginx_config.h"
#include "logs/nginx_hops.h"

/* The master: the one that says so; workers are its children. */
static const struct doctor_process *find_master(struct doctor_reading *reading)
{
    const struct doctor_process *first = NULL;

    for (size_t i = 0; i < reading->nginx.count; i++) {
        const struct doctor_process *process = array_at(&reading->nginx, i);

        if (!slice_starts(slice_of(process->title), SLICE("nginx: master process")))
            continue;
        reading->host->nginx.masters++;
        if (!first || process->pid == reading->request->nginx_pid)
            first = process;
    }
    if (first && reading->request->nginx_pid > 0 && first->pid != reading->request->nginx_pid)
        return NULL;
    return first;
}

static void take_hop(struct doctor_host *host, const struct nginx_hop *from)
{
    struct doctor_hop *hop = array_add(&host->nginx.hops);

    if (!hop)
        return;
    *hop = (struct doctor_hop){
        .fastcgi = from->fastcgi,
        .pass = doctor_host_text(host, slice_of(from->fastcgi ? from->pass : from->address)),
        .where = doctor_host_text(host, slice_of(from->where)),
        .server = doctor_host_text(host, slice_of(from->server)),
        .has_request_id = from->has_request_id,
        .hides_request_id = from->hides_request_id,
        .buffer_size_bytes = from->buffer_size_bytes,
        .read_timeout_s = from->read_timeout_s,
        /* Its listeners are compared later; a name tells when Varnish is down. */
        .to_varnish = !from->fastcgi && strcasestr(from->pass, "varnish") != NULL,
    };
    if (!hop->where)
        hop->where = "nginx";
    if (!hop->pass)
        hop->pass = "?";
}

static void take_hops(struct doctor_host *host, struct slice text)
{
    struct nginx_hops hops;

    if (nginx_hops_parse(text, &hops) == 0) {
        for (size_t i = 0; i < hops.count; i++)
            take_hop(host, &hops.items[i]);
        host->nginx.skipped += hops.skipped;
    }
    nginx_hops_release(&hops);
}

/* $request_id, or the id that a front server passed on. */
static bool has_id(const char *format)
{
    static const char *const names[] = {"request_id", "traceparent", "unique_id", "cf_ray"};

    for (size_t i = 0; format && i < sizeof names / sizeof *names; i++)
        if (strcasestr(format, names[i]))
            return true;
    return false;
}

static void take_logs(struct doctor_host *host, struct slice text)
{
    struct nginx_config config;

    if (nginx_config_parse(text, &config) == 0) {
        for (size_t i = 0; i < config.access_logs_count; i++) {
            const struct nginx_access_log *log = &config.access_logs[i];

            if (strcmp(log->path, "/dev/null") == 0)
                continue;
            host->nginx.access_logs++;
            if (!has_id(nginx_config_format(&config, log->format)))
                doctor_host_add_name(host, &host->nginx.access_logs_without_id,
                                     slice_of(log->path));
        }
        host->nginx.skipped += config.skipped + config.missing_includes;
    }
    nginx_config_release(&config);
}

static const char *why(int error)
{
    switch (error) {
    case -EXDEV:
        return "nginx runs in a container (another mount namespace)";
    case -EACCES:
        return "nginx is another user's, or others than root may write its program";
    case -ETIME:
        return "nginx -T did not answer in time";
    default:
        return "nginx -T failed: it needs root, and a configuration without errors";
    }
}

void doctor_read_nginx(struct doctor_reading *reading)
{
    struct doctor_nginx *nginx = &reading->host->nginx;
    const struct doctor_process *master = find_master(reading);
    int r;

    if (!master && (reading->request->nginx_pid > 0 || access("/usr/sbin/nginx", X_OK) != 0)) {
        nginx->why_unknown = reading->request->nginx_pid > 0 ? "that nginx master does not run"
                                                             : "nginx does not run here";
        return;
    }
    nginx->pid = master ? master->pid : -1;
    if (reading->request->nginx_pid > 0)
        nginx->masters = 1;
    r = nginx_dump(nginx->pid, slice_of(master ? master->title : ""), &reading->nginx_text);
    nginx->known = r == 0;
    if (r != 0) {
        nginx->why_unknown = why(r);
        return;
    }
    take_hops(reading->host, reading->nginx_text);
    take_logs(reading->host, reading->nginx_text);
}
