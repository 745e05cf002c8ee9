/* unwind_program.c - see unwind_program.h.  A table of instructions: what each takes and does. */
#include "stack/unwind_program.h"

#include "banned.h"

enum { REMEMBERED_MAX = 8 };

struct machine {
    const struct unwind_program *program;
    struct unwind_row row, initial; /* after the common instructions */
    struct unwind_row remembered[REMEMBERED_MAX];
    unsigned remembered_count;
    uintptr_t at; /* where `row` begins to hold */
    bool bad;
};

struct operands {
    uint64_t reg;
    int64_t number;
    struct unwind_bytes block;
};

static int32_t offset_from(struct machine *machine, int64_t number)
{
    if (number != (int32_t) number)
        machine->bad = true;
    return (int32_t) number;
}

/* NULL: a register that nobody asks for. */
static struct unwind_place *place_of(const struct machine *machine, struct unwind_row *row,
                                     uint64_t reg)
{
    if (reg == UNWIND_REGISTER_FP)
        return &row->fp;
    return reg == machine->program->ra_register ? &row->ra : NULL;
}

static void put(struct machine *machine, uint64_t reg, enum unwind_where where, int64_t number)
{
    struct unwind_place *place = place_of(machine, &machine->row, reg);

    if (place)
        *place = (struct unwind_place){offset_from(machine, number), (uint8_t) where};
}

static void advance(struct machine *machine, const struct operands *operands)
{
    machine->at += (uint64_t) operands->number * machine->program->code_step;
}

static void set_place(struct machine *machine, const struct operands *operands)
{
    machine->at = (uintptr_t) operands->number;
}

static void at_cfa(struct machine *machine, const struct operands *operands)
{
    put(machine, operands->reg, UNWIND_AT_CFA, operands->number);
}

static void lose(struct machine *machine, const struct operands *operands)
{
    put(machine, operands->reg, UNWIND_LOST, 0);
}

static void otherwise(struct machine *machine, const struct operands *operands)
{
    put(machine, operands->reg, UNWIND_OTHERWISE, 0);
}

static void same(struct machine *machine, const struct operands *operands)
{
    put(machine, operands->reg, UNWIND_SAME, 0);
}

static void restore(struct machine *machine, const struct operands *operands)
{
    const struct unwind_place *was = place_of(machine, &machine->initial, operands->reg);

    if (was)
        *place_of(machine, &machine->row, operands->reg) = *was;
}

static void remember(struct machine *machine, const struct operands *operands)
{
    (void) operands;
    if (machine->remembered_count == REMEMBERED_MAX)
        machine->bad = true;
    else
        machine->remembered[machine->remembered_count++] = machine->row;
}

static void recall(struct machine *machine, const struct operands *operands)
{
    (void) operands;
    if (machine->remembered_count == 0)
        machine->bad = true;
    else
        machine->row = machine->remembered[--machine->remembered_count];
}

static void cfa_register(struct machine *machine, const struct operands *operands)
{
    machine->row.cfa = operands->reg == UNWIND_REGISTER_SP   ? UNWIND_BASE_SP
                       : operands->reg == UNWIND_REGISTER_FP ? UNWIND_BASE_FP
                                                             : UNWIND_BASE_UNKNOWN;
}

static void cfa_offset(struct machine *machine, const struct operands *operands)
{
    machine->row.cfa_offset_bytes = offset_from(machine, operands->number);
}

static void cfa(struct machine *machine, const struct operands *operands)
{
    cfa_register(machine, operands);
    cfa_offset(machine, operands);
}

/* "fp plus a number": the only expression that is understood; with `is_read`, what is stored there.
 */
static bool is_fp_plus(struct unwind_bytes block, bool is_read, int64_t *ret_number)
{
    enum { DW_OP_BREG0 = 0x70, DW_OP_DEREF = 0x06 };

    if (unwind_take_fixed(&block, 1) != DW_OP_BREG0 + UNWIND_REGISTER_FP)
        return false;
    *ret_number = unwind_take_signed(&block);
    if (is_read && unwind_take_fixed(&block, 1) != DW_OP_DEREF)
        return false;
    return block.at == block.end && !block.bad;
}

static void cfa_expression(struct machine *machine, const struct operands *operands)
{
    int64_t number = 0;

    machine->row.cfa =
        is_fp_plus(operands->block, true, &number) ? UNWIND_BASE_AT_FP : UNWIND_BASE_UNKNOWN;
    machine->row.cfa_offset_bytes = offset_from(machine, number);
}

static void at_expression(struct machine *machine, const struct operands *operands)
{
    int64_t number = 0;
    const bool is_known = is_fp_plus(operands->block, false, &number);

    put(machine, operands->reg, is_known ? UNWIND_AT_FP : UNWIND_OTHERWISE, number);
}

/*
 * What an instruction takes: r a register, u and s an unsigned and a signed number, U and S the
 * same in steps of the data, 1 2 4 so many bytes, p a pointer, b a block.  Without `takes` it is
 * not known.
 */
static const struct instruction {
    const char *takes;
    void (*does)(struct machine *machine, const struct operands *operands);
} instructions[] = {
    [0x00] = {"", NULL},            /* nop */
    [0x01] = {"p", set_place},      /* set_loc */
    [0x02] = {"1", advance},        /* advance_loc1 */
    [0x03] = {"2", advance},        /* advance_loc2 */
    [0x04] = {"4", advance},        /* advance_loc4 */
    [0x05] = {"rU", at_cfa},        /* offset_extended */
    [0x06] = {"r", restore},        /* restore_extended */
    [0x07] = {"r", lose},           /* undefined */
    [0x08] = {"r", same},           /* same_value */
    [0x09] = {"ru", otherwise},     /* register */
    [0x0a] = {"", remember},        /* remember_state */
    [0x0b] = {"", recall},          /* restore_state */
    [0x0c] = {"ru", cfa},           /* def_cfa */
    [0x0d] = {"r", cfa_register},   /* def_cfa_register */
    [0x0e] = {"u", cfa_offset},     /* def_cfa_offset */
    [0x0f] = {"b", cfa_expression}, /* def_cfa_expression */
    [0x10] = {"rb", at_expression}, /* expression */
    [0x11] = {"rS", at_cfa},        /* offset_extended_sf */
    [0x12] = {"rS", cfa},           /* def_cfa_sf */
    [0x13] = {"S", cfa_offset},     /* def_cfa_offset_sf */
    [0x14] = {"rU", otherwise},     /* val_offset */
    [0x15] = {"rS", otherwise},     /* val_offset_sf */
    [0x16] = {"rb", otherwise},     /* val_expression */
    [0x2d] = {"", NULL},            /* AArch64's negate_ra_state */
    [0x2e] = {"u", NULL},           /* GNU_args_size */
};

static int64_t in_data_steps(struct machine *machine, int64_t number)
{
    int64_t bytes;

    if (__builtin_mul_overflow(number, machine->program->data_step, &bytes))
        machine->bad = true;
    return bytes;
}

static void take_operand(struct machine *machine, struct unwind_bytes *bytes, char kind,
                         struct operands *operands)
{
    switch (kind) {
    case 'r':
        operands->reg = unwind_take_unsigned(bytes);
        break;
    case 'u':
        operands->number = (int64_t) unwind_take_unsigned(bytes);
        break;
    case 'U':
        operands->number = in_data_steps(machine, (int64_t) unwind_take_unsigned(bytes));
        break;
    case 'S':
        operands->number = in_data_steps(machine, unwind_take_signed(bytes));
        break;
    case 'p':
        operands->number = (int64_t) unwind_take_pointer(bytes, machine->program->pointer_encoding);
        break;
    case 'b':
        operands->block = unwind_take_block(bytes, unwind_take_unsigned(bytes));
        break;
    default:
        operands->number = (int64_t) unwind_take_fixed(bytes, (size_t) (kind - '0'));
    }
}

/* The three instructions that carry their first operand in their own byte. */
static void step_packed(struct machine *machine, struct unwind_bytes *bytes, uint8_t code)
{
    struct operands operands = {.reg = code & 0x3f, .number = code & 0x3f};

    if (code >> 6 == 1) {
        advance(machine, &operands);
    } else if (code >> 6 == 2) {
        take_operand(machine, bytes, 'U', &operands);
        at_cfa(machine, &operands);
    } else {
        restore(machine, &operands);
    }
}

static void step(struct machine *machine, struct unwind_bytes *bytes)
{
    const uint8_t code = (uint8_t) unwind_take_fixed(bytes, 1);
    struct operands operands = {.reg = 0};

    if (code >> 6 != 0) {
        step_packed(machine, bytes, code);
        return;
    }
    if (code >= sizeof instructions / sizeof *instructions || !instructions[code].takes) {
        machine->bad = true;
        return;
    }
    for (const char *kind = instructions[code].takes; *kind; kind++)
        take_operand(machine, bytes, *kind, &operands);
    if (instructions[code].does)
        instructions[code].does(machine, &operands);
}

/* Until the row that holds at `pc` is complete: an advance that passes it is the end. */
static void run(struct machine *machine, struct unwind_bytes bytes, uintptr_t pc)
{
    while (bytes.at < bytes.end && machine->at <= pc && !machine->bad) {
        step(machine, &bytes);
        machine->bad |= bytes.bad;
    }
}

bool unwind_program_run(const struct unwind_program *program, uintptr_t pc,
                        struct unwind_row *ret_row)
{
    struct machine machine = {.program = program, .at = program->begin};

    run(&machine, program->common, pc);
    machine.initial = machine.row;
    run(&machine, program->own, pc);
    if (machine.bad || machine.row.cfa <= UNWIND_BASE_UNKNOWN)
        return false;
    *ret_row = machine.row;
    return true;
}
