/*
 * wrap_dlopen.h - make the extensions of php-fpm allocate through the shim.
 *
 * php-fpm opens extensions with RTLD_DEEPBIND: they would find the C library's malloc before ours,
 * and nothing of theirs would be counted.
 */
#ifndef FPMSCOPE_ALLOC_WRAP_DLOPEN_H
#define FPMSCOPE_ALLOC_WRAP_DLOPEN_H

/* From now on dlopen() in this process does without RTLD_DEEPBIND. */
void wrap_dlopen_without_deepbind(void);

#endif
