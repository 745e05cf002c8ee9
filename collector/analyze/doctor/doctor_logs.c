/* doctor_logs.c - which logs there are to read, and what stays dark on this host. */
#include "analyze/doctor/doctor.h"

static void judge_log(const struct doctor_log *log, struct doctor_finding *finding)
{
    if (log->problem) {
        doctor_raise(finding, DOCTOR_WARN, "%s: %s", log->path, log->problem);
        if (!log->missing)
            doctor_fix(finding,
                       "ls -l %s    # then run fpmscope as root or as a member of the file's "
                       "group (usermod -aG adm USER)",
                       log->path);
    } else if (!log->format && !log->empty) {
        doctor_raise(finding, DOCTOR_WARN, "%s: its format is not recognised", log->path);
        doctor_fix(finding, "fpmscope 502 --log-format '%s' %s",
                   log->log_format ? log->log_format : "(nginx's log_format string)", log->path);
    }
}

void doctor_check_logs(const struct doctor_host *host, struct doctor_finding *finding)
{
    size_t readable = 0, empty = 0;

    if (host->logs.count == 0) {
        doctor_raise(finding, DOCTOR_WARN, "no log of nginx or php-fpm was found");
        doctor_fix(finding, "name them: fpmscope collect --log FILE --log FILE");
        return;
    }
    for (size_t i = 0; i < host->logs.count; i++)
        judge_log(array_at(&host->logs, i), finding);
    for (size_t i = 0; i < host->logs.count; i++) {
        const struct doctor_log *log = array_at(&host->logs, i);

        if (log->problem)
            continue;
        readable++;
        empty += log->empty;
        if (log->format)
            doctor_say(finding, "%s: %s", log->path, log->format);
    }
    doctor_say(finding, "%zu logs, %zu readable, %zu of them empty", host->logs.count, readable,
               empty);
    if (finding->state > DOCTOR_OK)
        doctor_fix(finding, "a log that is named and missing is made by a reload of its writer");
}

void doctor_check_kernel_log(const struct doctor_host *host, struct doctor_finding *finding)
{
    const struct doctor_kernel_log *kernel = &host->kernel;

    if (kernel->readable_path)
        doctor_say(finding, "%s is readable", kernel->readable_path);
    if (kernel->dmesg_readable == 1)
        doctor_say(finding, "the kernel's ring buffer (dmesg) is readable");
    if (kernel->journal_problem)
        doctor_say(finding, "%s", kernel->journal_problem);
    if (kernel->readable_path || kernel->dmesg_readable == 1)
        return;
    doctor_raise(finding, DOCTOR_WARN,
                 "neither /var/log/kern.log nor the journal nor dmesg can be read: a SIGKILL by "
                 "the OOM killer looks like any other");
    if (kernel->unreadable_path && kernel->unreadable_group)
        doctor_fix(finding, "usermod -aG %s $(id -un)    # the group of %s; then log in again",
                   kernel->unreadable_group, kernel->unreadable_path);
    else if (kernel->unreadable_path)
        doctor_fix(finding, "run as root: %s is not yours to read", kernel->unreadable_path);
    else
        doctor_fix(finding, "apt-get install rsyslog (writes /var/log/kern.log), or "
                            "sysctl -w kernel.dmesg_restrict=0");
}

static void say_blind_master(const struct doctor_master *master, struct doctor_finding *finding)
{
    const long long pid = (long long) master->pid;

    if (master->shim == 0)
        doctor_raise(finding, DOCTOR_WARN, "master %lld: nothing inside its workers (no library)",
                     pid);
    if (master->zts == 1)
        doctor_raise(finding, DOCTOR_WARN, "master %lld: no PHP stacks (thread-safe build)", pid);
    if (master->jit == 1)
        doctor_raise(finding, DOCTOR_WARN, "master %lld: native frames below JIT-compiled code",
                     pid);
    if (master->other_namespace)
        doctor_raise(finding, DOCTOR_WARN,
                     "master %lld: its files (it runs in a container: run "
                     "fpmscope in it)",
                     pid);
    if (master->shim < 0)
        doctor_raise(finding, DOCTOR_WARN, "master %lld: whether it has the library (run as root)",
                     pid);
}

void doctor_check_blind_spots(const struct doctor_host *host, struct doctor_finding *finding)
{
    size_t unknown = 0;

    for (size_t i = 0; i < host->masters.count; i++)
        say_blind_master(doctor_master_at(host, i), finding);
    for (size_t i = 0; i < host->logs.count; i++)
        unknown += ((const struct doctor_log *) array_at(&host->logs, i))->problem != NULL;
    if (unknown > 0)
        doctor_raise(finding, DOCTOR_WARN, "%zu logs (see logs)", unknown);
    if (!host->kernel.readable_path && host->kernel.dmesg_readable != 1)
        doctor_raise(finding, DOCTOR_WARN, "what the kernel kills for memory (see kernel_log)");
    if (!host->nginx.known)
        doctor_raise(finding, DOCTOR_WARN, "nginx's configuration%s%s",
                     host->nginx.why_unknown ? ": " : "",
                     host->nginx.why_unknown ? host->nginx.why_unknown : "");
    if (host->masters.count == 0)
        doctor_raise(finding, DOCTOR_WARN, "php-fpm: none runs, or not where we can see it");
    if (finding->state == DOCTOR_OK)
        doctor_say(finding, "nothing that is known");
    else
        doctor_fix(finding, "each of the other findings says how");
}
