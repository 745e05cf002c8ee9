/*
 * odd_frames.h - frames of hand-written code, whose rows no compiler writes: each function is
 * int NAME(int (*call)(void *), void *data) and returns what `call` said of `data`.
 *
 * For unit tests, and for a library that php-fpm loads (odd_malloc.c).
 */
#ifndef FPMSCOPE_TESTS_ODD_FRAMES_H
#define FPMSCOPE_TESTS_ODD_FRAMES_H

#if defined(__x86_64__)
#define ODD_FRAMES 1

typedef int odd_frame(int (*call)(void *), void *data);

/* Its canonical frame address is counted from another register: rbx. */
odd_frame odd_by_rbx;
/* It is an expression: what is stored at rsp + 16, plus 8.  OpenSSL's assembly does this. */
odd_frame odd_by_expression;
/* It keeps its caller's frame pointer at a place that is an expression, and uses the register. */
odd_frame odd_hides_fp;
/* It has no row at all, but a frame pointer. */
odd_frame odd_without_row;
/* It has neither: its frame pointer is 0, or leads to a return address that is 0. */
odd_frame odd_without_fp, odd_with_wrong_fp;

/* The stack is aligned to 16 bytes at the call, which is between `prologue` and `epilogue`. */
#define ODD_FUNCTION(name, prologue, epilogue)                                                     \
    __asm__(".pushsection .text\n.type " #name ", @function\n" #name ":\n" prologue                \
            "mov %rdi, %rax\n mov %rsi, %rdi\n call *%rax\n" epilogue ".size " #name               \
            ", . - " #name "\n.popsection\n")

ODD_FUNCTION(odd_by_rbx,
             ".cfi_startproc\n"
             "push %rbx\n"
             ".cfi_def_cfa_offset 16\n"
             ".cfi_offset 3, -16\n"
             "mov %rsp, %rbx\n"
             ".cfi_def_cfa 3, 16\n"
             "sub $200, %rsp\n"
             "and $-64, %rsp\n",
             "mov %rbx, %rsp\n"
             ".cfi_def_cfa 7, 16\n"
             "pop %rbx\n"
             ".cfi_def_cfa_offset 8\n"
             "ret\n"
             ".cfi_endproc\n");

ODD_FUNCTION(odd_by_expression,
             ".cfi_startproc\n"
             "mov %rsp, %rax\n"
             "sub $64, %rsp\n"
             "and $-64, %rsp\n"
             "mov %rax, 16(%rsp)\n"
             ".cfi_escape 0x0f, 5, 0x77, 16, 0x06, 0x23, 8\n",
             "mov 16(%rsp), %rsp\n"
             ".cfi_def_cfa 7, 8\n"
             "ret\n"
             ".cfi_endproc\n");

ODD_FUNCTION(odd_hides_fp,
             ".cfi_startproc\n"
             "sub $24, %rsp\n"
             ".cfi_def_cfa_offset 32\n"
             "mov %rbp, 8(%rsp)\n"
             ".cfi_escape 0x10, 6, 2, 0x77, 8\n"
             "xor %ebp, %ebp\n",
             "mov 8(%rsp), %rbp\n"
             ".cfi_restore 6\n"
             "add $24, %rsp\n"
             ".cfi_def_cfa_offset 8\n"
             "ret\n"
             ".cfi_endproc\n");

ODD_FUNCTION(odd_without_row,
             "push %rbp\n"
             "mov %rsp, %rbp\n",
             "pop %rbp\n"
             "ret\n");

ODD_FUNCTION(odd_without_fp,
             "push %rbp\n"
             "xor %ebp, %ebp\n",
             "pop %rbp\n"
             "ret\n");

ODD_FUNCTION(odd_with_wrong_fp,
             "push %rbp\n"
             "sub $16, %rsp\n"
             "movq $0, 8(%rsp)\n"
             "mov %rsp, %rbp\n",
             "add $16, %rsp\n"
             "pop %rbp\n"
             "ret\n");
#endif

#endif
