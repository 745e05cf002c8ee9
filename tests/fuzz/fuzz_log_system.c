/* fuzz_log_system.c - kernel, syslog and journal lines of any bytes. */
#include "fuzz_logs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_logs fuzz = {0};

    fuzz_logs_init(&fuzz, data, size);
    fuzz_logs_parse(&fuzz, system_log_parse);
    fuzz_logs_release(&fuzz);
    return 0;
}
