/* crash_page.c - believe nothing of a recorder page. */
#include "ingest/crash_page.h"

#include <errno.h>
#include <signal.h>

enum { STACK_OVERFLOW_BYTES = 64 * 1024, SIGNAL_MAX = 64 };

int crash_page_check(const struct recorder_page *page, size_t page_bytes,
                     struct crash_page *ret_crash)
{
    const struct recorder_crash *crash = &page->crash;

    if (page_bytes < sizeof *page || page->magic != RECORDER_MAGIC ||
        page->version != RECORDER_VERSION || page->page_bytes != sizeof *page)
        return -EBADMSG;
    if (crash->state == RECORDER_CRASH_NONE)
        return -ENODATA;
    if (crash->state > RECORDER_CRASH_COMPLETE || crash->signo == 0 || crash->signo > SIGNAL_MAX ||
        crash->register_count > RECORDER_REGISTERS || crash->php_len_bytes > sizeof crash->php ||
        crash->maps_len_bytes > sizeof crash->maps ||
        crash->stack_len_bytes > sizeof crash->stack ||
        crash->stack_address + crash->stack_len_bytes < crash->stack_address)
        return -EBADMSG;
    *ret_crash = (struct crash_page){
        .crash = crash,
        .complete = crash->state == RECORDER_CRASH_COMPLETE,
        .register_count = crash->register_count,
        .php = {.ptr = crash->php, .len_bytes = crash->php_len_bytes},
        .maps = {.ptr = crash->maps, .len_bytes = crash->maps_len_bytes},
        .stack = crash->stack,
        .stack_len_bytes = crash->stack_len_bytes,
    };
    return 0;
}

bool crash_page_is_stack_overflow(const struct crash_page *page)
{
    const struct recorder_crash *crash = page->crash;
    const uint64_t distance =
        crash->address > crash->sp ? crash->address - crash->sp : crash->sp - crash->address;

    return crash->signo == SIGSEGV && crash->code > 0 && distance < STACK_OVERFLOW_BYTES &&
           page->stack_len_bytes == sizeof crash->stack;
}
