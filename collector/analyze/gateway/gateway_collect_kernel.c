/* gateway_collect_kernel.c - what is kept of the kernel's log: crashes, and visits of the OOM
 * killer with the list of tasks that it prints. */
#include <stdio.h>

#include "analyze/gateway/gateway_parts.h"

static text_id keep(struct gateway *gateway, struct slice text)
{
    return intern_put(&gateway->texts, text);
}

static struct line_ref ref_of(const struct log_event *log)
{
    return (struct line_ref){log->file, log->offset_bytes};
}

static struct oom *last_oom(struct gateway *gateway)
{
    struct oom *oom =
        gateway->ooms.count ? GATEWAY_AT(gateway, ooms, oom, gateway->ooms.count - 1) : NULL;

    return oom && !oom->done ? oom : NULL;
}

static struct oom *new_oom(struct gateway *gateway, const struct log_event *log, int64_t time_us)
{
    struct oom *oom = array_add(&gateway->ooms);

    if (oom)
        *oom = (struct oom){.ref = ref_of(log), .time_us = time_us, .rss_kib = -1};
    return oom;
}

/* The dump's two largest tasks: one of them may be the victim, known only at the end. */
static void note_oom_task(struct gateway *gateway, struct oom *oom, const struct log_kernel *kernel)
{
    struct oom_task task = {kernel->pid, kernel->rss_kib, 0};

    holders_on_task(gateway, oom, kernel->comm, kernel->rss_kib);
    if (task.rss_kib <= oom->largest[1].rss_kib)
        return;
    task.comm = keep(gateway, kernel->comm);
    if (task.rss_kib > oom->largest[0].rss_kib) {
        oom->largest[1] = oom->largest[0];
        oom->largest[0] = task;
    } else {
        oom->largest[1] = task;
    }
}

static void end_oom(struct gateway *gateway, struct oom *oom, const struct log_event *log)
{
    const struct log_kernel *kernel = &log->kernel;

    oom->ref = ref_of(log);
    oom->pid = kernel->pid;
    oom->comm = keep(gateway, kernel->comm);
    oom->rss_kib = kernel->anon_rss_kib >= 0 ? kernel->anon_rss_kib : kernel->rss_kib;
    oom->done = oom->rss_kib >= 0; /* old kernels say "Kill process" first, and how large later */
}

static void on_oom(struct gateway *gateway, const struct log_event *log, int64_t time_us)
{
    const struct log_kernel *kernel = &log->kernel;
    struct oom *oom = kernel->what == KERNEL_OOM_INVOKED ? NULL : last_oom(gateway);

    if (!oom)
        oom = new_oom(gateway, log, time_us);
    if (!oom)
        return;
    if (kernel->what == KERNEL_OOM_INVOKED)
        oom->invoker = keep(gateway, kernel->comm);
    else if (kernel->what == KERNEL_OOM_TASK)
        note_oom_task(gateway, oom, kernel);
    else if (kernel->what == KERNEL_OOM_KILLED)
        end_oom(gateway, oom, log);
}

void collect_kernel(struct gateway *gateway, const struct log_event *log, int64_t time_us)
{
    const struct log_kernel *kernel = &log->kernel;

    gateway->sources |= SOURCE_KERNEL;
    if (!(gateway->pass & GATEWAY_SCAN))
        return;
    if (kernel->uptime_clock)
        time_us = -1;
    switch (kernel->what) {
    case KERNEL_OOM_INVOKED:
    case KERNEL_OOM_TASK:
    case KERNEL_OOM_KILLED:
        on_oom(gateway, log, time_us);
        return;
    case KERNEL_SEGFAULT:
    case KERNEL_GENERAL_PROTECTION:
        break;
    default:
        return;
    }
    struct kernel_crash *crash = array_add(&gateway->kernel_crashes);
    char offset[64];
    int n = snprintf(offset, sizeof offset, "%#llx", (unsigned long long) kernel->module_offset);

    if (crash)
        *crash = (struct kernel_crash){
            .ref = ref_of(log),
            .time_us = time_us,
            .pid = kernel->pid,
            .shared_object = keep(gateway, kernel->module),
            .shared_object_offset = keep(gateway, (struct slice){offset, n > 0 ? (size_t) n : 0}),
            .addr = kernel->addr,
            .ip = kernel->ip,
            .sp = kernel->sp,
        };
}
