/* log_matter.c - what each kind of line is worth. */
#include "logs/log_matter.h"

enum { STATUS_CLIENT_GONE = 499, STATUS_FAILED = 500 };

static bool failed(int status)
{
    return status == STATUS_CLIENT_GONE || status >= STATUS_FAILED;
}

static enum log_matter access_matter(const struct log_access *access)
{
    if (failed(access->status))
        return LOG_IS_TROUBLE;
    /* An error page or a stale copy hides what php-fpm answered, or a first try that failed. */
    for (int i = 0; i < access->upstream_count && i < LOG_UPSTREAMS_MAX; i++)
        if (failed(access->upstream_status[i]))
            return LOG_IS_TROUBLE;
    return LOG_MATTERS_NEARBY;
}

static enum log_matter varnish_matter(const struct log_varnish *varnish)
{
    return failed(varnish->status) || varnish->fetch_error.len_bytes > 0 ? LOG_IS_TROUBLE
                                                                         : LOG_MATTERS_NEARBY;
}

static enum log_matter fpm_matter(const struct log_fpm *fpm)
{
    switch (fpm->what) {
    case FPM_CHILD_SIGNAL:
    case FPM_TIMEOUT:
        return LOG_IS_TROUBLE;
    case FPM_STDERR: /* whatever the application prints */
        return LOG_MATTERS_NEARBY;
    default:
        return LOG_MATTERS;
    }
}

static enum log_matter nginx_matter(const struct log_nginx_error *nginx)
{
    switch (nginx->cause) {
    case NGINX_OTHER:
    case NGINX_STDERR: /* notices of the application, thousands on some hosts */
        return LOG_MATTERS_NEARBY;
    default:
        return LOG_IS_TROUBLE;
    }
}

static enum log_matter kernel_matter(const struct log_kernel *kernel)
{
    switch (kernel->what) {
    case KERNEL_OTHER:
        return LOG_MATTERS_NEARBY;
    case KERNEL_SEGFAULT:
    case KERNEL_GENERAL_PROTECTION:
    case KERNEL_OOM_KILLED:
        return LOG_IS_TROUBLE;
    default:
        return LOG_MATTERS;
    }
}

enum log_matter log_matter(const struct log_event *event)
{
    switch (event->kind) {
    case LOG_ACCESS:
        return access_matter(&event->access);
    case LOG_NCSA:
    case LOG_VARNISH:
        return varnish_matter(&event->varnish);
    case LOG_NGINX_ERROR:
        return nginx_matter(&event->nginx);
    case LOG_FPM:
        return fpm_matter(&event->fpm);
    case LOG_KERNEL:
        return kernel_matter(&event->kernel);
    case LOG_PHP_ERROR:
        return event->php.memory_limit || event->php.uncaught ? LOG_MATTERS : LOG_MATTERS_NEARBY;
    default:
        return LOG_MATTERS;
    }
}
