/*
 * bench_price.c - how long a look into an empty picture takes, by which a worker weighs what a call
 * of its handlers costs (zend/call_price.h).  Run it under valgrind, too: there it is slower.
 */
#include <stdio.h>

#include "zend/call_price.h"

int main(void)
{
    static struct picture picture;

    for (int i = 0; i < 4; i++)
        printf("a look: %.2f ns\n",
               (double) call_price_ps(&picture) * CALL_PRICE_LOOK_PS / CALL_PRICE_CALL_PS / 1000);
    return 0;
}
