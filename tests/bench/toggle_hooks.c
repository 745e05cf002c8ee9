/*
 * toggle_hooks.c - takes the shim out of a worker's calls and puts it back, so that requests with
 * and without it can be compared in one process (bench_within.py).
 *
 * Preloaded behind the shim.  After TOGGLE_WARM requests every slot of every library that holds the
 * address of one of the shim's functions is looked up; after each TOGGLE_EVERY requests they lead
 * past the shim to the C library, or back.  Blocks are the C library's in both cases.  php-fpm's
 * accept() leads here, and from here on to the shim or not.  The shim hears of the CPU time through
 * it only, so that it has the budgets that it would have without this.  The request that was begun
 * last before the shim was left ends when it is met again, so its books are wrong: for a bench
 * only.
 *
 * In the environment:
 *   TOGGLE_NULL    all that happens, but both sides are the shim's
 *   TOGGLE_ALL     not the malloc family alone, but everything that a request calls
 */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <unistd.h>

enum { SLOTS_MAX = 4096, PAGE_BYTES = 4096, TOGGLE_WARM = 200, TOGGLE_EVERY = 20 };

static const char *const names[] = {
    "malloc", "calloc", "realloc", "free",  "posix_memalign", "memalign",  "mmap",  "mmap64",
    "munmap", "mremap", "read",    "write", "close",          "setitimer", "times", "accept",
};

enum { NAMES = sizeof names / sizeof *names, NAMES_OF_MALLOC = 6, NAME_ACCEPT = NAMES - 1 };

struct relocations {
    uintptr_t at;
    size_t bytes;
};

static struct {
    void *shim[NAMES], *past[NAMES];
    struct {
        void **where;
        unsigned name;
    } slots[SLOTS_MAX];
    size_t slot_count;
    unsigned used_names;
    unsigned long requests;
    bool is_past;
    clock_t past_ticks; /* CPU time past the shim, until `past_since` */
    clock_t past_since; /* when the calls were led past it, in CPU time */
} toggle;

static void keep_slot(void **where)
{
    for (unsigned n = 0; n < toggle.used_names; n++)
        if (*where == toggle.shim[n] && toggle.slot_count < SLOTS_MAX) {
            mprotect((void *) ((uintptr_t) where & -(uintptr_t) PAGE_BYTES), PAGE_BYTES,
                     PROT_READ | PROT_WRITE);
            toggle.slots[toggle.slot_count].where = where;
            toggle.slots[toggle.slot_count++].name = n;
        }
}

static void look_through(const struct relocations *relocations, uintptr_t base)
{
    const ElfW(Rela) *rela = (const ElfW(Rela) *) relocations->at;

    for (size_t i = 0; i < relocations->bytes / sizeof *rela; i++) {
        const unsigned type = ELF64_R_TYPE(rela[i].r_info);

        if (type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT || type == R_X86_64_64)
            keep_slot((void **) (base + rela[i].r_offset));
    }
}

/* The loader makes these addresses absolute, except in libraries whose section is read-only. */
static uintptr_t in_memory(uintptr_t base, uintptr_t value)
{
    return value < base ? value + base : value;
}

static void look_at_library(uintptr_t base, const ElfW(Dyn) * dyn)
{
    struct relocations data = {0}, calls = {0};

    for (; dyn->d_tag != DT_NULL; dyn++) {
        if (dyn->d_tag == DT_RELA)
            data.at = in_memory(base, dyn->d_un.d_ptr);
        else if (dyn->d_tag == DT_RELASZ)
            data.bytes = dyn->d_un.d_val;
        else if (dyn->d_tag == DT_JMPREL)
            calls.at = in_memory(base, dyn->d_un.d_ptr);
        else if (dyn->d_tag == DT_PLTRELSZ)
            calls.bytes = dyn->d_un.d_val;
    }
    look_through(&data, base);
    look_through(&calls, base);
}

static int on_library(struct dl_phdr_info *info, size_t size, void *unused)
{
    static const char *const left_alone[] = {"libfpmscope", "toggle_hooks", "libc.so", "ld-linux"};

    (void) size;
    (void) unused;
    for (size_t i = 0; i < sizeof left_alone / sizeof *left_alone; i++)
        if (strstr(info->dlpi_name, left_alone[i]))
            return 0;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
            look_at_library(info->dlpi_addr,
                            (const ElfW(Dyn) *) (info->dlpi_addr + info->dlpi_phdr[i].p_vaddr));
    return 0;
}

extern int accept(int fd, struct sockaddr *addr, socklen_t *len);

static void toggle_find(void)
{
    void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

    toggle.used_names = getenv("TOGGLE_ALL") ? NAMES : NAMES_OF_MALLOC;
    for (unsigned n = 0; n < toggle.used_names; n++) {
        toggle.shim[n] = dlsym(RTLD_DEFAULT, names[n]);
        toggle.past[n] = getenv("TOGGLE_NULL") ? toggle.shim[n] : dlsym(libc, names[n]);
    }
    if (toggle.used_names == NAMES && !getenv("TOGGLE_NULL"))
        toggle.past[NAME_ACCEPT] = (void *) accept;
    dl_iterate_phdr(on_library, NULL);
}

static clock_t cpu_ticks(void)
{
    struct tms answer;

    syscall(SYS_times, &answer);
    return answer.tms_utime + answer.tms_stime;
}

/* Behind the shim's. */
clock_t times(struct tms *answer)
{
    const clock_t now = syscall(SYS_times, answer);
    const clock_t whole = answer->tms_utime + answer->tms_stime;

    answer->tms_stime = 0;
    answer->tms_utime = (toggle.is_past ? toggle.past_since : whole) - toggle.past_ticks;
    return now;
}

static void toggle_set(bool is_past)
{
    if (is_past && !toggle.is_past)
        toggle.past_since = cpu_ticks();
    if (!is_past && toggle.is_past)
        toggle.past_ticks += cpu_ticks() - toggle.past_since;
    toggle.is_past = is_past;
    for (size_t i = 0; i < toggle.slot_count; i++)
        *toggle.slots[i].where = (is_past ? toggle.past : toggle.shim)[toggle.slots[i].name];
}

/* True when the call came past the shim, and this is the first one that shall lead through it. */
static bool toggle_on_accept(void)
{
    const bool was_past = toggle.is_past;

    if (toggle.requests == TOGGLE_WARM)
        toggle_find();
    if (toggle.requests >= TOGGLE_WARM && toggle.requests % TOGGLE_EVERY == 0)
        toggle_set(toggle.requests / TOGGLE_EVERY % 2 != 0);
    return was_past && !toggle.is_past && toggle.used_names == NAMES && !getenv("TOGGLE_NULL");
}

/* The shim ends a request at the next one's accept(), and calls this one behind it. */
int accept(int fd, struct sockaddr *addr, socklen_t *len)
{
    static int (*next)(int, struct sockaddr *, socklen_t *);
    static bool is_called_back;

    if (!next)
        *(void **) &next = dlsym(RTLD_NEXT, "accept");
    if (!is_called_back && toggle_on_accept()) {
        is_called_back = true;
        return ((__typeof__(next)) toggle.shim[NAME_ACCEPT])(fd, addr, len);
    }
    toggle.requests++;
    is_called_back = false;
    return next(fd, addr, len);
}
