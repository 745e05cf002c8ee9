/*
 * bench_stack.c - what one stack costs: 20 PHP frames walked, hashed, written, walked with guarded
 * reads; native frames by the unwind tables.  Best of ten rounds.
 */
#include <stdio.h>
#include <time.h>

#include "stack/native_stack.h"
#include "stack/stack_table.h"
#include "unit/preload/stack/fake_php.h"

enum { FRAMES = 20, CALLS = 20000, ROUNDS = 10 };

static struct fake_php php;
static struct php_stack stack;
static struct memory_reader reader;
static struct native_stack native;
static char text[16384];
static uintptr_t pcs[LIMIT_NATIVE_FRAMES];
static volatile uint64_t sink;

static void walk_fast(void)
{
    sink += php_stack_walk(&php.engine, php.layout, NULL, &stack);
}

static void hash(void)
{
    sink += stack_hash(&stack, pcs, 0);
}

static void write_text(void)
{
    sink += php_stack_write(&stack, NULL, text, sizeof text);
}

static void walk_guarded(void)
{
    memory_reader_init(&reader);
    sink += php_stack_walk(&php.engine, php.layout, &reader, &stack);
    sink += php_stack_write(&stack, &reader, text, sizeof text);
}

static void capture(void)
{
    sink += native_stack_capture(&native, NULL, pcs, LIMIT_NATIVE_FRAMES);
}

static void capture_cold(void)
{
    native.generation--;
    capture();
}

static double round_ns(void (*call)(void), int calls)
{
    struct timespec start, end;

    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < calls; i++)
        call();
    clock_gettime(CLOCK_MONOTONIC, &end);
    return ((double) (end.tv_sec - start.tv_sec) * 1e9 + (double) (end.tv_nsec - start.tv_nsec)) /
           calls;
}

static void report(const char *what, void (*call)(void), int calls)
{
    double best = 1e18;

    for (int i = 0; i < ROUNDS; i++) {
        const double ns = round_ns(call, calls);

        best = ns < best ? ns : best;
    }
    printf("%-32s %9.0f ns\n", what, best);
}

int main(int argc, char **argv)
{
    (void) argc;
    fake_php_init(&php, "8.2");
    for (uint32_t i = 0; i < FRAMES; i++)
        fake_call(&php,
                  fake_function(&php, 2, "dispatchToController", "Magento\\Framework\\App\\Front",
                                "/srv/shop/vendor/magento/framework/App/FrontController.php"),
                  100 + i);
    report("20 PHP frames, raw", walk_fast, CALLS);
    report("  hashed", hash, CALLS);
    report("  as text", write_text, CALLS);
    report("  guarded, as text", walk_guarded, CALLS / 100);
    native_stack_init(&native, argv, NULL);
    if (native_stack_start(&native)) {
        report("native frames, met before", capture, CALLS);
        report("  never met", capture_cold, CALLS);
        native.top = 0;
        report("  guarded", capture, CALLS / 100);
    }
    return 0;
}
