/* leak_nnls.c - normal equations, coordinate descent, and errors from their inverse. */
#include "analyze/leak/leak_nnls.h"

#include <math.h>
#include <string.h>

enum { ROUNDS_MAX = 200 };

/* Rows that are fitted exactly still are not known better than this part of their size. */
static const double noise_share_min = .001;

void leak_nnls_add(struct leak_nnls *problem, const double *a, double y)
{
    for (size_t i = 0; i < problem->columns; i++) {
        for (size_t j = 0; j < problem->columns; j++)
            problem->ata[i][j] += a[i] * a[j];
        problem->aty[i] += a[i] * y;
    }
    problem->yty += y * y;
    problem->rows += 1;
}

/* Best value of one column, the others fixed; returns by how much it moved, relative to itself. */
static double descend(struct leak_nnls *problem, size_t i)
{
    double gradient = problem->aty[i], value;
    const double before = problem->x[i];

    for (size_t j = 0; j < problem->columns; j++)
        if (j != i)
            gradient -= problem->ata[i][j] * problem->x[j];
    value = problem->ata[i][i] > 0 ? fmax(0, gradient / problem->ata[i][i]) : 0;
    problem->x[i] = value;
    return fabs(value - before) / (fabs(value) + 1e-6);
}

static double residual_variance(const struct leak_nnls *problem)
{
    double sum = problem->yty;
    const double freedom = fmax(1, problem->rows - (double) problem->columns);

    for (size_t i = 0; i < problem->columns; i++) {
        sum -= 2 * problem->x[i] * problem->aty[i];
        for (size_t j = 0; j < problem->columns; j++)
            sum += problem->x[i] * problem->x[j] * problem->ata[i][j];
    }
    return fmax(0, sum) / freedom;
}

/* Diagonal of the inverse of A'A by Gauss-Jordan, a little ridge against equal columns. */
static void invert_diagonal(const struct leak_nnls *problem, double *ret_diagonal)
{
    double m[LEAK_NNLS_COLUMNS_MAX][2 * LEAK_NNLS_COLUMNS_MAX] = {{0}};
    const size_t n = problem->columns;

    for (size_t i = 0; i < n; i++) {
        memcpy(m[i], problem->ata[i], n * sizeof **m);
        m[i][i] = m[i][i] > 0 ? m[i][i] * (1 + 1e-9) : 1;
        m[i][n + i] = 1;
    }
    for (size_t i = 0; i < n; i++) {
        const double pivot = fabs(m[i][i]) > 1e-300 ? m[i][i] : 1e-300;

        for (size_t k = 0; k < 2 * n; k++)
            m[i][k] /= pivot;
        for (size_t j = 0; j < n; j++) {
            const double factor = m[j][i];

            for (size_t k = 0; j != i && k < 2 * n; k++)
                m[j][k] -= factor * m[i][k];
        }
    }
    for (size_t i = 0; i < n; i++)
        ret_diagonal[i] = m[i][n + i];
}

static void minimise(struct leak_nnls *problem)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        double moved = 0;

        for (size_t i = 0; i < problem->columns; i++)
            moved = fmax(moved, descend(problem, i));
        if (moved < 1e-6)
            break;
    }
}

/* An expectation is one more row, as heavy as its error is small against that of the others, and
 * where the descent begins: along directions that no row tells it would hardly move. */
static void add_expectations(struct leak_nnls *problem, double variance)
{
    for (size_t i = 0; i < problem->columns; i++) {
        const double error = problem->expected_error[i],
                     weight = error > 0 ? variance / (error * error) : 0;

        if (problem->ata[i][i] <= 0)
            continue;
        problem->ata[i][i] += weight;
        problem->aty[i] += weight * problem->expected[i];
        problem->x[i] = error > 0 ? problem->expected[i] : problem->x[i];
    }
}

void leak_nnls_solve(struct leak_nnls *problem)
{
    double diagonal[LEAK_NNLS_COLUMNS_MAX], variance;

    memset(problem->x, 0, sizeof problem->x);
    minimise(problem);
    variance = fmax(residual_variance(problem),
                    noise_share_min * noise_share_min * problem->yty / fmax(1, problem->rows));
    add_expectations(problem, variance);
    minimise(problem);
    invert_diagonal(problem, diagonal);
    for (size_t i = 0; i < problem->columns; i++)
        problem->error[i] =
            problem->ata[i][i] > 0 ? sqrt(variance * fmax(0, diagonal[i])) : INFINITY;
}
