/*
 * memory_reader.c - guarded reads of the own memory by process_vm_readv.
 *
 * Some containers forbid that call.  Then a page is probed by a call that makes the kernel read
 * from it and has no other effect (rt_sigprocmask with an impossible `how`), and copied by memcpy.
 * That is weaker: another thread may unmap the page in between.
 */
#include "stack/memory_reader.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "banned.h"

static bool is_page_readable(uintptr_t page)
{
    enum { NO_SUCH_HOW = -1, KERNEL_SET_BYTES = 8 };

    return syscall(SYS_rt_sigprocmask, NO_SUCH_HOW, page, NULL, KERNEL_SET_BYTES) != 0 &&
           errno != EFAULT;
}

static size_t read_by_probing(uintptr_t address, void *ret, size_t size_bytes)
{
    size_t done = 0;

    while (done < size_bytes) {
        const uintptr_t at = address + done;
        const uintptr_t page = at & ~(uintptr_t) (MEMORY_READER_WINDOW_BYTES - 1);
        const size_t to_end = page + MEMORY_READER_WINDOW_BYTES - at;
        const size_t part = size_bytes - done < to_end ? size_bytes - done : to_end;

        if (!is_page_readable(page))
            break;
        memcpy((uint8_t *) ret + done, (const void *) at, part);
        done += part;
    }
    return done;
}

static size_t read_self(uintptr_t address, void *ret, size_t size_bytes)
{
    const struct iovec local = {.iov_base = ret, .iov_len = size_bytes};
    const struct iovec remote = {.iov_base = (void *) address, .iov_len = size_bytes};
    const int saved_errno = errno;
    const ssize_t got = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
    size_t copied = got > 0 ? (size_t) got : 0;

    if (got < 0 && (errno == EPERM || errno == ENOSYS))
        copied = read_by_probing(address, ret, size_bytes);
    errno = saved_errno;
    return copied;
}

void memory_reader_init(struct memory_reader *reader)
{
    reader->window_address = 0;
    reader->window_len_bytes = 0;
    reader->fetches_left = MEMORY_READER_FETCHES;
}

static bool in_window(const struct memory_reader *reader, uintptr_t address, size_t size_bytes)
{
    return address >= reader->window_address &&
           address - reader->window_address < reader->window_len_bytes &&
           size_bytes <= reader->window_len_bytes - (address - reader->window_address);
}

/* A window is one aligned page: it is there as a whole or not at all. */
static bool fetch_window(struct memory_reader *reader, uintptr_t address)
{
    const uintptr_t start = address & ~(uintptr_t) (MEMORY_READER_WINDOW_BYTES - 1);

    reader->window_address = start;
    reader->window_len_bytes = read_self(start, reader->window, sizeof reader->window);
    return reader->window_len_bytes == sizeof reader->window;
}

bool memory_reader_read(struct memory_reader *reader, uintptr_t address, void *ret,
                        size_t size_bytes)
{
    if (size_bytes == 0)
        return true;
    if (size_bytes > MEMORY_READER_WINDOW_BYTES || address + size_bytes < address)
        return false;
    if (!in_window(reader, address, size_bytes)) {
        if (reader->fetches_left == 0)
            return false;
        reader->fetches_left--;
        if (!fetch_window(reader, address))
            return false;
    }
    if (!in_window(reader, address, size_bytes)) { /* it straddles two pages */
        uint8_t whole[MEMORY_READER_WINDOW_BYTES];

        if (read_self(address, whole, size_bytes) != size_bytes)
            return false;
        memcpy(ret, whole, size_bytes);
        return true;
    }
    memcpy(ret, reader->window + (address - reader->window_address), size_bytes);
    return true;
}

size_t memory_copy_readable(uintptr_t address, void *ret, size_t cap_bytes)
{
    size_t done = 0;

    /* The kernel stops at the first bad page when the remote side is given page by page only, so
     * ask for all at first and go by pages when that gave less. */
    while (done < cap_bytes && address + done >= address) {
        const uintptr_t at = address + done;
        const size_t to_page_end =
            MEMORY_READER_WINDOW_BYTES - (at & (MEMORY_READER_WINDOW_BYTES - 1));
        const size_t left = cap_bytes - done;
        size_t got = read_self(at, (uint8_t *) ret + done, left);

        if (got == 0)
            got = read_self(at, (uint8_t *) ret + done, left < to_page_end ? left : to_page_end);
        if (got == 0)
            break;
        done += got;
    }
    return done;
}
