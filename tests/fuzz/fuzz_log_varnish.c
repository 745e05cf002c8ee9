/* fuzz_log_varnish.c - varnishlog transactions and varnishd output of any bytes. */
#include "fuzz_logs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_logs fuzz = {0};

    fuzz_logs_init(&fuzz, data, size);
    fuzz_logs_parse(&fuzz, varnishlog_parse);
    fuzz_logs_parse(&fuzz, varnishd_parse);
    fuzz_logs_release(&fuzz);
    return 0;
}
