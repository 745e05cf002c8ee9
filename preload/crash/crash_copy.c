/* crash_copy.c - registers, request, PHP stack, code map and stack of a dying worker. */
#include "crash/crash_copy.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "stack/memory_reader.h"
#include "stack/php_stack.h"

#include "banned.h"

#if defined(__x86_64__)
/* Index: DWARF register number. */
static const uint8_t dwarf_registers[] = {
    REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
    REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP,
};

static uint32_t copy_registers(struct recorder_crash *crash, const ucontext_t *context)
{
    const uint32_t count = sizeof dwarf_registers / sizeof *dwarf_registers;

    for (uint32_t i = 0; i < count; i++)
        crash->registers[i] = (uint64_t) context->uc_mcontext.gregs[dwarf_registers[i]];
    crash->ip = (uint64_t) context->uc_mcontext.gregs[REG_RIP];
    crash->sp = (uint64_t) context->uc_mcontext.gregs[REG_RSP];
    return count;
}
#elif defined(__aarch64__)
static uint32_t copy_registers(struct recorder_crash *crash, const ucontext_t *context)
{
    enum { GENERAL_REGISTERS = 31, SP = 31 };

    for (uint32_t i = 0; i < GENERAL_REGISTERS; i++)
        crash->registers[i] = context->uc_mcontext.regs[i];
    crash->registers[SP] = context->uc_mcontext.sp;
    crash->ip = context->uc_mcontext.pc;
    crash->sp = context->uc_mcontext.sp;
    return SP + 1;
}
#else
#error "say where this machine's signal context keeps DWARF's registers"
#endif

static int64_t now_us(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* A worker may die while it is changing slots: `current` names a whole one at any moment. */
static void copy_request(struct recorder_crash *crash, const struct recorder_page *page)
{
    const uint32_t current = __atomic_load_n(&page->current, __ATOMIC_ACQUIRE);
    const struct recorder_request *request = &page->slots[current % RECORDER_SLOTS];

    crash->seq = request->seq;
    crash->in_request = request->phase != RECORDER_IDLE;
    crash->response_sent = request->phase == RECORDER_ANSWERED;
}

uint32_t crash_sender(const siginfo_t *info)
{
    return info->si_code <= 0 ? (uint32_t) info->si_pid : 0;
}

void crash_copy_signal(struct recorder_page *page, int signo, const siginfo_t *info,
                       const void *context)
{
    struct recorder_crash *crash = &page->crash;

    crash->signo = (uint32_t) signo;
    crash->code = info->si_code;
    crash->address = info->si_code > 0 ? (uint64_t) (uintptr_t) info->si_addr : 0;
    crash->time_us = now_us();
    crash->sender = crash_sender(info);
    crash->thread_id = (uint32_t) syscall(SYS_gettid);
    crash->register_count = copy_registers(crash, context);
    copy_request(crash, page);
    __atomic_store_n(&crash->state, RECORDER_CRASH_BEGUN, __ATOMIC_RELEASE);
}

size_t crash_copy_php(const struct crash_sources *sources, char *buf, size_t cap_bytes)
{
    const struct php_layout *layout = sources->layout ? *sources->layout : NULL;
    struct memory_reader reader;
    struct php_stack stack;

    if (!sources->engine || !layout)
        return 0;
    memory_reader_init(&reader);
    php_stack_walk(sources->engine, layout, &reader, &stack);
    return php_stack_write(&stack, &reader, buf, cap_bytes);
}

/* Rows of the maps file pass through here piece by piece; what is executable is kept. */
struct maps_filter {
    char *buf;
    size_t cap_bytes, len_bytes;
    size_t row_len_bytes; /* of the row being collected behind len_bytes */
    bool overlong;        /* it did not fit: drop it to its end */
};

/* "55..-55.. r-xp ...": the third letter behind the first space. */
static bool row_is_executable(const char *row, size_t len_bytes)
{
    const char *space = memchr(row, ' ', len_bytes);

    return space && (size_t) (space - row) + 3 < len_bytes && space[3] == 'x';
}

static void maps_filter_byte(struct maps_filter *filter, char byte)
{
    char *row = filter->buf + filter->len_bytes;

    if (filter->row_len_bytes < filter->cap_bytes - filter->len_bytes)
        row[filter->row_len_bytes++] = byte;
    else
        filter->overlong = true;
    if (byte != '\n')
        return;
    if (!filter->overlong && row_is_executable(row, filter->row_len_bytes))
        filter->len_bytes += filter->row_len_bytes;
    filter->row_len_bytes = 0;
    filter->overlong = false;
}

size_t crash_copy_maps(char *buf, size_t cap_bytes)
{
    struct maps_filter filter = {.buf = buf, .cap_bytes = cap_bytes};
    const int fd = (int) syscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC);
    char piece[2048];
    long got;

    if (fd < 0)
        return 0;
    /* Not read(): that one is wrapped, and watches the request's connection. */
    while ((got = syscall(SYS_read, fd, piece, sizeof piece)) > 0)
        for (long i = 0; i < got; i++)
            maps_filter_byte(&filter, piece[i]);
    syscall(SYS_close, fd);
    return filter.len_bytes;
}

size_t crash_copy_stack(uintptr_t sp, uint8_t *buf, size_t cap_bytes, uint64_t *ret_address)
{
    enum { RED_ZONE_BYTES = 128, PAGE_BYTES = 4096, GUARD_PAGES_MAX = 64 };
    uintptr_t from = (sp - RED_ZONE_BYTES) & ~(uintptr_t) (sizeof(uintptr_t) - 1);
    size_t copied = memory_copy_readable(from, buf, cap_bytes);

    for (int i = 0; copied == 0 && i < GUARD_PAGES_MAX; i++) {
        from = (from & ~(uintptr_t) (PAGE_BYTES - 1)) + PAGE_BYTES;
        copied = memory_copy_readable(from, buf, cap_bytes);
    }
    *ret_address = from;
    return copied;
}
