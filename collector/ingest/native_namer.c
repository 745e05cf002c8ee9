/*
 * native_namer.c - libdwfl over a code map: names by symbol table, frames by unwind table.
 */
#include "ingest/native_namer.h"

#include <dwarf.h>
#include <inttypes.h>
#include <string.h>

#include "ingest/elf_modules.h"
#include "ingest/native_frame.h"

/* ---- names ---- */

struct nearest {
    const char *name;
    GElf_Addr address;
};

/* The last function that starts before `pc`; for code of stripped static functions. */
static struct nearest find_nearest(Dwfl_Module *module, GElf_Addr pc)
{
    const int count = dwfl_module_getsymtab(module);
    struct nearest best = {.name = NULL};

    for (int i = 0; i < count; i++) {
        GElf_Sym symbol;
        GElf_Addr address;
        const char *name = dwfl_module_getsym_info(module, i, &symbol, &address, NULL, NULL, NULL);

        if (name && *name && GELF_ST_TYPE(symbol.st_info) == STT_FUNC && address <= pc &&
            pc - address < NATIVE_FRAME_NEAR_BYTES && (!best.name || address > best.address))
            best = (struct nearest){.name = name, .address = address};
    }
    return best;
}

/* A name becomes a field: what could end it, or is no text, is replaced. */
static void print_field(FILE *out, struct slice text, size_t max_bytes)
{
    for (size_t i = 0; i < max_bytes && i < text.len_bytes; i++)
        putc((unsigned char) text.ptr[i] >= 0x20 && text.ptr[i] != 0x7f ? text.ptr[i] : '?', out);
}

/* Without the version that debug files append: "__libc_start_main@@GLIBC_2.34". */
static struct slice plain_name(const char *symbol)
{
    const struct slice name = slice_of(symbol);
    const ptrdiff_t version = slice_index(name, '@');

    return version > 0 ? slice_head(name, (size_t) version) : name;
}

static void print_line(FILE *out, char kind, uint64_t offset, struct slice library,
                       const char *symbol)
{
    fprintf(out, "%c\t%" PRIx64 "\t", kind, offset);
    print_field(out, library, NATIVE_FRAME_LIBRARY_BYTES);
    putc('\t', out);
    print_field(out, plain_name(symbol), NATIVE_FRAME_SYMBOL_BYTES);
    putc('\n', out);
}

/* A return address may be the first byte of the next function: the call is just before it. */
static void print_frame(FILE *out, Dwfl *dwfl, const struct code_map *map, uint64_t pc,
                        bool innermost)
{
    const uint64_t at = innermost || pc == 0 ? pc : pc - 1;
    const struct native_frame guess = native_frame_guess(map, at);
    Dwfl_Module *module = dwfl ? dwfl_addrmodule(dwfl, at) : NULL;
    struct nearest near = {.name = NULL};
    GElf_Addr bias = 0;
    const char *name;
    GElf_Off distance;
    GElf_Sym symbol;

    if (!module || !dwfl_module_getelf(module, &bias)) {
        print_line(out, NATIVE_FRAME_BARE, guess.offset, guess.shared_object, NULL);
        return;
    }
    name = dwfl_module_addrinfo(module, at, &distance, &symbol, NULL, NULL, NULL);
    /* A symbol without a size reaches to the end of its section. */
    if (name && *name && (symbol.st_size > distance || distance == 0)) {
        print_line(out, NATIVE_FRAME_IN, at - bias, guess.shared_object, name);
        return;
    }
    near = find_nearest(module, at);
    print_line(out, near.name ? NATIVE_FRAME_NEAR : NATIVE_FRAME_BARE, at - bias,
               guess.shared_object, near.name);
}

void native_namer_name(const void *arg, FILE *out)
{
    const struct native_namer_list *list = arg;
    Dwfl *dwfl = elf_modules_open(list->map);

    for (size_t i = 0; i < list->count; i++)
        print_frame(out, dwfl, list->map, list->pcs[i], true);
    dwfl_end(dwfl);
}

/* ---- frames ---- */

struct unwinding {
    const struct native_namer_crash *crash;
    Dwfl *dwfl;
    FILE *out;
    uint64_t ip, sp; /* where unwinding begins */
    int printed;
};

enum { THREAD_ID = 1, REGISTERS_MAX = 17 };

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread_arg)
{
    (void) dwfl;
    if (*thread_arg)
        return 0;
    *thread_arg = arg;
    return THREAD_ID;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *arg, void **thread_arg)
{
    (void) dwfl;
    *thread_arg = arg;
    return tid == THREAD_ID;
}

static bool read_stack(const struct native_namer_crash *crash, uint64_t address, uint64_t *ret)
{
    const uint64_t offset = address - crash->stack_address;

    if (address < crash->stack_address || crash->stack_len_bytes < sizeof *ret ||
        offset > crash->stack_len_bytes - sizeof *ret)
        return false;
    memcpy(ret, crash->stack + offset, sizeof *ret);
    return true;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *ret_word, void *arg)
{
    const struct unwinding *unwinding = arg;
    uint64_t word;

    (void) dwfl;
    if (!read_stack(unwinding->crash, address, &word))
        return false;
    *ret_word = word;
    return true;
}

#ifdef __x86_64__
enum { REGISTER_SP = 7, REGISTER_PC = 16, REGISTER_COUNT = 17 };
#else
enum { REGISTER_SP = 31, REGISTER_COUNT = 32 };
#endif

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
    const struct unwinding *unwinding = arg;
    Dwarf_Word registers[REGISTER_COUNT] = {0};

    for (unsigned i = 0; i < REGISTER_COUNT && i < unwinding->crash->register_count; i++)
        registers[i] = unwinding->crash->registers[i];
    registers[REGISTER_SP] = unwinding->sp;
#ifdef __x86_64__
    registers[REGISTER_PC] = unwinding->ip;
#else
    dwfl_thread_state_register_pc(thread, unwinding->ip);
#endif
    return dwfl_thread_state_registers(thread, 0, REGISTER_COUNT, registers);
}

static int print_unwound(Dwfl_Frame *state, void *arg)
{
    struct unwinding *unwinding = arg;
    bool innermost;
    Dwarf_Addr pc;

    if (unwinding->printed == LIMIT_NATIVE_FRAMES || !dwfl_frame_pc(state, &pc, &innermost))
        return DWARF_CB_ABORT;
    /* libdw guesses by frame pointer where there is no table; a guess that is not code ends it. */
    if (!code_map_find(unwinding->crash->map, innermost || pc == 0 ? pc : pc - 1))
        return DWARF_CB_ABORT;
    print_frame(unwinding->out, unwinding->dwfl, unwinding->crash->map, pc,
                innermost && unwinding->ip == unwinding->crash->ip);
    unwinding->printed++;
    return DWARF_CB_OK;
}

/*
 * A call to where no code is (a NULL function pointer, a library that was closed) has no unwind
 * table, but has just pushed its return address: print the place, go on from the caller.
 */
static void step_out_of_nowhere(struct unwinding *unwinding)
{
    const struct native_namer_crash *crash = unwinding->crash;
    uint64_t caller;

    if (code_map_find(crash->map, crash->ip))
        return;
    print_frame(unwinding->out, unwinding->dwfl, crash->map, crash->ip, true);
    unwinding->printed++;
#ifdef __x86_64__
    if (!read_stack(crash, crash->sp, &caller))
        return;
    unwinding->sp += sizeof caller;
#else
    caller = crash->registers[30]; /* the link register */
#endif
    unwinding->ip = caller;
}

void native_namer_unwind(const void *arg, FILE *out)
{
    static const Dwfl_Thread_Callbacks callbacks = {
        .next_thread = next_thread,
        .get_thread = get_thread,
        .memory_read = read_memory,
        .set_initial_registers = set_registers,
    };
    const struct native_namer_crash *crash = arg;
    struct unwinding unwinding = {
        .crash = crash,
        .dwfl = elf_modules_open(crash->map),
        .out = out,
        .ip = crash->ip,
        .sp = crash->sp,
    };

    step_out_of_nowhere(&unwinding);
    if (unwinding.dwfl &&
        dwfl_attach_state(unwinding.dwfl, NULL, THREAD_ID, &callbacks, &unwinding))
        dwfl_getthread_frames(unwinding.dwfl, THREAD_ID, print_unwound, &unwinding);
    if (unwinding.printed == 0)
        print_frame(out, unwinding.dwfl, crash->map, crash->ip, true);
    dwfl_end(unwinding.dwfl);
}
