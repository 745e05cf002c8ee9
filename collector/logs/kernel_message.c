/*
 * kernel_message.c - the kernel's lines about a process that ended badly, old and new.
 *
 *     php-fpm8.2[14490]: segfault at 0 ip ... sp ... error 4 in
 * libc.so.6[167ad8,7f3a093eb000+156000] traps: php-fpm8.1[1234] general protection fault ip:55d0c0
 * sp:7ffd error:0 in php-fpm8.1[...] php-fpm8.2 invoked oom-killer: gfp_mask=... [   9687]    33
 * 9687   190864    67223 ...  0 php-fpm8.2             (the task dump)
 *     oom-kill:constraint=CONSTRAINT_MEMCG,...,task=php-fpm8.2,pid=9687,uid=33
 *     Memory cgroup out of memory: Killed process 9687 (php-fpm8.2) total-vm:...kB, anon-rss:...
 */
#include <signal.h>

#include "logs/parsers.h"
#include "logs/scan.h"

enum {
    PAGE_KIB = 4,        /* the dump counts pages; every machine that runs php-fpm has 4 KiB ones */
    DUMP_FIELDS_MIN = 7, /* uid tgid total_vm rss nr_ptes swapents oom_score_adj (kernel 3.x) */
    DUMP_FIELDS_MAX = 12,
};

/* "name[pid]" at the end of `text`; a name may hold brackets itself. */
static bool split_task(struct slice text, struct slice *ret_comm, int64_t *ret_pid)
{
    const char *bracket = text.len_bytes ? memrchr(text.ptr, '[', text.len_bytes) : NULL;
    struct scan scan;

    if (!bracket || bracket == text.ptr)
        return false;
    scan = scan_of(scan_between(bracket + 1, text.ptr + text.len_bytes));
    if (!scan_int(&scan, ret_pid) || !scan_byte(&scan, ']') || !scan_done(&scan))
        return false;
    *ret_comm = scan_between(text.ptr, bracket);
    return true;
}

/*
 * " in libc.so.6[167ad8,7f3a093eb000+156000]" (new: offset in the file, base and size of the
 * mapping) or " in php-fpm[400000+323000]" (before 6.4: base and size).
 */
static void take_module(struct scan *scan, struct log_kernel *kernel)
{
    struct scan ahead = *scan;
    struct slice name;
    uint64_t first, second, size;

    if (!scan_text(&ahead, SLICE(" in ")) || !scan_until(&ahead, '[', &name) ||
        !scan_hex(&ahead, &first))
        return;
    second = first;
    if (scan_byte(&ahead, ',')) {
        if (!scan_hex(&ahead, &second))
            return;
        kernel->module_offset = first;
    } else if (kernel->ip >= first) {
        kernel->module_offset = kernel->ip - first;
    }
    if (!scan_byte(&ahead, '+') || !scan_hex(&ahead, &size) || !scan_byte(&ahead, ']'))
        return;
    kernel->module = name;
    kernel->module_base = second;
    *scan = ahead;
}

static bool take_registers(struct scan *scan, struct slice ip, struct slice sp, struct slice error,
                           struct log_kernel *kernel)
{
    uint64_t code;

    if (!scan_text(scan, ip) || !scan_hex(scan, &kernel->ip) || !scan_text(scan, sp) ||
        !scan_hex(scan, &kernel->sp) || !scan_text(scan, error) || !scan_hex(scan, &code) ||
        code > 0xffff)
        return false;
    kernel->error = (int) code;
    take_module(scan, kernel);
    return true;
}

static bool parse_segfault(struct slice message, struct log_kernel *kernel)
{
    ptrdiff_t at = slice_find(message, SLICE(": segfault at "));
    struct scan scan;

    if (at < 0 || !split_task(slice_head(message, (size_t) at), &kernel->comm, &kernel->pid))
        return false;
    scan = scan_of(slice_skip(message, (size_t) at + 14));
    kernel->what = KERNEL_SEGFAULT;
    kernel->signo = SIGSEGV;
    return scan_hex(&scan, &kernel->addr) &&
           (take_registers(&scan, SLICE(" ip "), SLICE(" sp "), SLICE(" error "), kernel) ||
            take_registers(&scan, SLICE(" rip "), SLICE(" rsp "), SLICE(" error "), kernel));
}

/* "general protection fault", "general protection", "trap invalid opcode", "trap divide error" */
static int signal_of_trap(struct slice trap)
{
    if (slice_find(trap, SLICE("invalid opcode")) >= 0)
        return SIGILL;
    if (slice_find(trap, SLICE("divide")) >= 0 || slice_find(trap, SLICE("fp exception")) >= 0)
        return SIGFPE;
    if (slice_find(trap, SLICE("stack segment")) >= 0 || slice_find(trap, SLICE("alignment")) >= 0)
        return SIGBUS;
    return SIGSEGV;
}

static bool parse_trap(struct slice message, struct log_kernel *kernel)
{
    struct scan scan = scan_of(message);
    struct slice trap;
    ptrdiff_t ip = slice_find(message, SLICE(" ip:")), bracket;

    (void) scan_text(&scan, SLICE("traps: "));
    if (ip < 0)
        return false;
    bracket = slice_find(message, SLICE("] "));
    if (bracket < scan.at - message.ptr || bracket + 2 > ip ||
        !split_task(scan_between(scan.at, message.ptr + bracket + 1), &kernel->comm, &kernel->pid))
        return false;
    trap = scan_between(message.ptr + bracket + 2, message.ptr + ip);
    scan.at = message.ptr + ip;
    kernel->what = KERNEL_GENERAL_PROTECTION;
    kernel->signo = signal_of_trap(trap);
    return take_registers(&scan, SLICE(" ip:"), SLICE(" sp:"), SLICE(" error:"), kernel);
}

/* The number behind `name`, wherever it stands. */
static void find_number(struct slice text, struct slice name, int64_t *ret_value)
{
    struct scan scan = scan_of(text);

    if (scan_past(&scan, name))
        (void) scan_int(&scan, ret_value);
}

static bool parse_invoked(struct slice message, struct log_kernel *kernel)
{
    ptrdiff_t at = slice_find(message, SLICE(" invoked oom-killer: "));

    if (at <= 0)
        return false;
    kernel->what = KERNEL_OOM_INVOKED;
    kernel->comm = slice_head(message, (size_t) at);
    find_number(slice_skip(message, (size_t) at), SLICE("oom_score_adj="), &kernel->oom_score_adj);
    return true;
}

/* The value of ",name=" up to the next comma; the last one, as cpuset paths may imitate it. */
static struct slice summary_value(struct slice text, struct slice name)
{
    struct slice value = {0};
    struct scan scan = scan_of(text);
    ptrdiff_t comma;

    while (scan_past(&scan, name)) {
        comma = slice_index(scan_rest(&scan), ',');
        value = comma < 0 ? scan_rest(&scan) : slice_head(scan_rest(&scan), (size_t) comma);
    }
    return value;
}

static bool parse_summary(struct slice message, struct log_kernel *kernel)
{
    struct slice text;

    if (!slice_starts(message, SLICE("oom-kill:")))
        return false;
    text = slice_skip(message, 9);
    kernel->what = KERNEL_OOM_SUMMARY;
    kernel->constraint = summary_value(text, SLICE("constraint="));
    kernel->task_memcg = summary_value(text, SLICE(",task_memcg="));
    kernel->comm = summary_value(text, SLICE(",task="));
    (void) scan_whole_int(summary_value(text, SLICE(",pid=")), &kernel->pid);
    (void) scan_whole_int(summary_value(text, SLICE(",uid=")), &kernel->uid);
    return true;
}

/* "9687 (php-fpm8.2)"; the name may hold brackets, what follows it does not. */
static bool take_victim(struct scan *scan, struct log_kernel *kernel)
{
    struct slice rest;
    ptrdiff_t end;

    if (!scan_int(scan, &kernel->pid) || !scan_text(scan, SLICE(" (")))
        return false;
    rest = scan_rest(scan);
    end = slice_find(rest, SLICE(") total-vm"));
    if (end < 0)
        end = slice_find(rest, SLICE("), "));
    if (end < 0)
        end = slice_find(rest, SLICE(") "));
    if (end < 0)
        end = slice_index(rest, ')');
    if (end < 0)
        return false;
    kernel->comm = slice_head(rest, (size_t) end);
    scan->at += end + 1;
    return true;
}

/* Kernels before 5.0 announce the choice and then report the kill; the report is the death. */
static bool parse_killed(struct slice message, struct log_kernel *kernel)
{
    struct scan scan = scan_of(message);
    struct slice rest;

    kernel->what = KERNEL_OOM_KILLED;
    if (!scan_past(&scan, SLICE("Killed process "))) {
        kernel->what = KERNEL_OOM_SUMMARY;
        if (!scan_past(&scan, SLICE("ut of memory: Kill process ")))
            return false;
    }
    if (!take_victim(&scan, kernel))
        return false;
    rest = scan_rest(&scan);
    kernel->constraint = slice_starts(message, SLICE("Memory cgroup")) ? SLICE("CONSTRAINT_MEMCG")
                                                                       : (struct slice){0};
    find_number(rest, SLICE("total-vm:"), &kernel->total_vm_kib);
    find_number(rest, SLICE("anon-rss:"), &kernel->anon_rss_kib);
    find_number(rest, SLICE("oom_score_adj:"), &kernel->oom_score_adj);
    find_number(rest, SLICE("UID:"), &kernel->uid);
    find_number(rest, SLICE("UID "), &kernel->uid);
    return true;
}

/* The numbers of a dump row behind its pid; what follows them is the name. */
static int take_dump_fields(struct scan *scan, int64_t fields[DUMP_FIELDS_MAX])
{
    int count = 0;

    for (scan_blanks(scan); count < DUMP_FIELDS_MAX; count++) {
        struct scan ahead = *scan;

        if (!scan_int(&ahead, &fields[count]) || !scan_byte(&ahead, ' '))
            break;
        scan_blanks(&ahead);
        *scan = ahead;
    }
    return count;
}

static bool parse_dump_row(struct slice message, struct log_kernel *kernel)
{
    struct scan scan = scan_of(message);
    int64_t fields[DUMP_FIELDS_MAX];
    int count;

    if (!scan_byte(&scan, '['))
        return false;
    scan_blanks(&scan);
    if (!scan_int(&scan, &kernel->pid) || !scan_byte(&scan, ']'))
        return false;
    count = take_dump_fields(&scan, fields);
    if (count < DUMP_FIELDS_MIN || scan_done(&scan) || fields[2] > INT64_MAX / PAGE_KIB ||
        fields[3] > INT64_MAX / PAGE_KIB)
        return false;
    kernel->what = KERNEL_OOM_TASK;
    kernel->uid = fields[0];
    kernel->total_vm_kib = fields[2] * PAGE_KIB;
    kernel->rss_kib = fields[3] * PAGE_KIB;
    kernel->oom_score_adj = fields[count - 1];
    kernel->comm = slice_trim(scan_rest(&scan));
    return true;
}

bool kernel_message_parse(struct slice message, struct log_kernel *ret_kernel)
{
    static bool (*const parsers[])(struct slice message, struct log_kernel * kernel) = {
        parse_segfault, parse_summary, parse_killed, parse_invoked, parse_dump_row, parse_trap,
    };
    const struct log_kernel blank = *ret_kernel;

    for (size_t i = 0; i < sizeof parsers / sizeof parsers[0]; i++) {
        if (parsers[i](message, ret_kernel))
            return true;
        *ret_kernel = blank;
    }
    return false;
}
