/* log_event.c - an event about which nothing is known yet. */
#include "model/log_event.h"

static void init_access(struct log_access *access)
{
    access->status = -1;
    access->body_bytes = -1;
    access->connection = -1;
    access->nginx_pid = -1;
    access->request_time_us = -1;
    access->request_time_precision_us = -1;
}

static void init_nginx(struct log_nginx_error *nginx)
{
    nginx->pid = -1;
    nginx->connection = -1;
}

static void init_fpm(struct log_fpm *fpm)
{
    fpm->pid = -1;
    fpm->signo = -1;
    fpm->code = -1;
    fpm->limit = -1;
    fpm->age_us = -1;
}

static void init_kernel(struct log_kernel *kernel)
{
    kernel->pid = -1;
    kernel->rss_kib = -1;
    kernel->anon_rss_kib = -1;
    kernel->total_vm_kib = -1;
    kernel->oom_score_adj = -1;
    kernel->uid = -1;
    kernel->error = -1;
    kernel->signo = -1;
    kernel->uptime_us = -1;
}

static void init_varnish(struct log_varnish *varnish)
{
    varnish->vxid = -1;
    varnish->parent_vxid = -1;
    varnish->status = -1;
    varnish->start_us = -1;
    varnish->duration_us = -1;
    varnish->body_bytes = -1;
}

static void init_body(struct log_event *event)
{
    switch (event->kind) {
    case LOG_ACCESS:
        init_access(&event->access);
        break;
    case LOG_NGINX_ERROR:
        init_nginx(&event->nginx);
        break;
    case LOG_FPM:
        init_fpm(&event->fpm);
        break;
    case LOG_PHP_ERROR:
        event->php.line = -1;
        event->php.limit_bytes = -1;
        break;
    case LOG_PHP_SLOW:
        event->slow.pid = -1;
        event->slow.line = -1;
        break;
    case LOG_KERNEL:
        init_kernel(&event->kernel);
        break;
    case LOG_VARNISH:
    case LOG_NCSA:
        init_varnish(&event->varnish);
        break;
    case LOG_VARNISHD:
        event->varnishd.pid = -1;
        event->varnishd.signo = -1;
        break;
    case LOG_KIND_COUNT:
        break;
    }
}

void log_event_init(struct log_event *event, enum log_kind kind)
{
    memset(event, 0, sizeof *event);
    event->kind = kind;
    event->time_us = -1;
    event->time_precision_us = -1;
    event->offset_bytes = -1;
    init_body(event);
}
