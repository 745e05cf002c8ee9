/*
 * leak_nnls.h - nonnegative least squares for a handful of columns.
 *
 * Lawson and Hanson's problem, min |Ax - y| with x >= 0, solved by coordinate descent on the normal
 * equations: with at most 17 columns of counts that converges in a few dozen rounds.
 */
#ifndef FPMSCOPE_ANALYZE_LEAK_NNLS_H
#define FPMSCOPE_ANALYZE_LEAK_NNLS_H

#include <stddef.h>

enum { LEAK_NNLS_COLUMNS_MAX = 18 };

struct leak_nnls {
    size_t columns;
    double rows;
    double ata[LEAK_NNLS_COLUMNS_MAX][LEAK_NNLS_COLUMNS_MAX], aty[LEAK_NNLS_COLUMNS_MAX], yty;
    double x[LEAK_NNLS_COLUMNS_MAX];     /* the solution */
    double error[LEAK_NNLS_COLUMNS_MAX]; /* its standard errors; INFINITY for an empty column */
};

/* Add one row: the coefficients `a` of all columns, and what they should sum up to. */
void leak_nnls_add(struct leak_nnls *problem, const double *a, double y);

void leak_nnls_solve(struct leak_nnls *problem);

#endif
