/* cpu_clock.c - see cpu_clock.h. */
#include "base/cpu_clock.h"

#include <stdbool.h>

#include "base/clock.h"
#include "banned.h"

/* USER_HZ, which the kernel shows to programs whatever its own tick is:
 * include/asm-generic/param.h, 100 on every architecture that Debian's php-fpm is built for. */
enum { TICK_NS = 1000 * 1000 * 1000 / 100 };

static struct {
    uint64_t heard_ns, told_ns;
    bool is_asked_for; /* by php-fpm */
} cpu;

void cpu_clock_heard(const struct tms *answer)
{
    cpu.heard_ns = (uint64_t) (answer->tms_utime + answer->tms_stime) * TICK_NS;
    cpu.is_asked_for = true;
}

uint64_t cpu_clock_look_ns(uint64_t turn)
{
    if (!cpu.is_asked_for)
        return turn % CPU_CLOCK_TURNS == 0 ? (uint64_t) clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) : 0;
    if (cpu.heard_ns < cpu.told_ns) /* of the process that forked this one */
        cpu.told_ns = 0;
    if (cpu.heard_ns - cpu.told_ns < CPU_CLOCK_STEP_NS)
        return 0;
    cpu.told_ns = cpu.heard_ns;
    return cpu.told_ns;
}
