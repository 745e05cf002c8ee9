/* doctor_read_memory.c - the memory of the host, and the kernel's settings beside it. */
#include "analyze/doctor/doctor_proc.h"
#include "cli/doctor/doctor_readers.h"
#include "cli/input/small_file.h"

enum { SMALL_BYTES = 65536 };

static int64_t read_number(const char *path)
{
    struct slice text, rest, line;
    int64_t number = -1;

    if (small_file_read(path, SMALL_BYTES, &text) < 0)
        return -1;
    rest = text;
    if (doctor_next_line(&rest, &line))
        number = doctor_number(line);
    small_file_free(&text);
    return number;
}

void doctor_read_memory(struct doctor_reading *reading)
{
    struct doctor_memory *memory = &reading->host->memory;
    struct slice text;

    if (small_file_read("/proc/meminfo", SMALL_BYTES, &text) == 0) {
        memory->total_kib = doctor_keyed_number(text, "MemTotal:");
        memory->available_kib = doctor_keyed_number(text, "MemAvailable:");
        memory->swap_total_kib = doctor_keyed_number(text, "SwapTotal:");
        memory->swap_free_kib = doctor_keyed_number(text, "SwapFree:");
        small_file_free(&text);
    }
    if (small_file_read("/proc/vmstat", SMALL_BYTES, &text) == 0) {
        memory->oom_kills = doctor_keyed_number(text, "oom_kill");
        small_file_free(&text);
    }
    memory->swappiness = read_number("/proc/sys/vm/swappiness");
    memory->somaxconn = read_number("/proc/sys/net/core/somaxconn");
}
