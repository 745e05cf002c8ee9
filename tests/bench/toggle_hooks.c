/*
 * toggle_hooks.c - takes the shim's malloc family out of a worker's calls and puts it back, so that
 * requests with and without it can be compared in one process (bench_within.py).
 *
 * Preloaded behind the shim, whose accept() therefore ends here.  After TOGGLE_WARM requests every
 * slot of every library that holds the address of the shim's malloc() or one of its like is looked
 * up; after each TOGGLE_EVERY requests they lead past the shim to the C library, or back.  Blocks
 * are the C library's in both cases.  The shim's books are wrong afterwards: for a bench only.
 *
 * TOGGLE_NULL in the environment: all that happens, but both sides are the shim's.
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

enum { SLOTS_MAX = 4096, PAGE_BYTES = 4096, TOGGLE_WARM = 200, TOGGLE_EVERY = 20 };

static const char *const names[] = {"malloc", "calloc",         "realloc",
                                    "free",   "posix_memalign", "memalign"};

enum { NAMES = sizeof names / sizeof *names };

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
    unsigned long requests;
} toggle;

static void keep_slot(void **where)
{
    for (unsigned n = 0; n < NAMES; n++)
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

static void toggle_find(void)
{
    void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

    for (unsigned n = 0; n < NAMES; n++) {
        toggle.shim[n] = dlsym(RTLD_DEFAULT, names[n]);
        toggle.past[n] = getenv("TOGGLE_NULL") ? toggle.shim[n] : dlsym(libc, names[n]);
    }
    dl_iterate_phdr(on_library, NULL);
}

static void toggle_set(bool is_on)
{
    for (size_t i = 0; i < toggle.slot_count; i++)
        *toggle.slots[i].where = (is_on ? toggle.shim : toggle.past)[toggle.slots[i].name];
}

extern int accept(int fd, struct sockaddr *addr, socklen_t *len);

int accept(int fd, struct sockaddr *addr, socklen_t *len)
{
    static int (*next)(int, struct sockaddr *, socklen_t *);

    if (!next)
        *(void **) &next = dlsym(RTLD_NEXT, "accept");
    if (toggle.requests == TOGGLE_WARM)
        toggle_find();
    if (toggle.requests >= TOGGLE_WARM && toggle.requests % TOGGLE_EVERY == 0)
        toggle_set(toggle.requests / TOGGLE_EVERY % 2 == 0);
    toggle.requests++;
    return next(fd, addr, len);
}
