/*
 * leak_nnls.h - nonnegative least squares for a handful of columns.
 *
 * Lawson and Hanson's problem, min |Ax - y| with x >= 0, solved by coordinate descent on the normal
 * equations: with at most 17 columns of counts that converges in a few dozen rounds.
 *
 * Rows that hardly tell two columns from each other (few rows, or routes that are always hit
 * together) leave their shares open: any split of the sum fits.  An expectation decides such a
 * split, gives way to what the rows do tell (Bayes' linear regression), and keeps the standard
 * error of an untold share as large as it is.
 */
#ifndef FPMSCOPE_ANALYZE_LEAK_LEAK_NNLS_H
#define FPMSCOPE_ANALYZE_LEAK_LEAK_NNLS_H

#include <stddef.h>

enum { LEAK_NNLS_COLUMNS_MAX = 18 };

struct leak_nnls {
    size_t columns;
    double rows;
    double ata[LEAK_NNLS_COLUMNS_MAX][LEAK_NNLS_COLUMNS_MAX], aty[LEAK_NNLS_COLUMNS_MAX], yty;
    double expected[LEAK_NNLS_COLUMNS_MAX];       /* before any row is seen, ... */
    double expected_error[LEAK_NNLS_COLUMNS_MAX]; /* ... within about so much; 0 = no idea */
    double x[LEAK_NNLS_COLUMNS_MAX];              /* the solution */
    double error[LEAK_NNLS_COLUMNS_MAX]; /* its standard errors; INFINITY for an empty column */
};

/* Add one row: the coefficients `a` of all columns, and what they should sum up to. */
void leak_nnls_add(struct leak_nnls *problem, const double *a, double y);

void leak_nnls_solve(struct leak_nnls *problem);

#endif
