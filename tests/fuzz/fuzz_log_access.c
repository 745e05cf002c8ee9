/* fuzz_log_access.c - access lines of any bytes: JSON, combined, varnishncsa. */
#include "fuzz_logs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_logs fuzz = {0};

    fuzz_logs_init(&fuzz, data, size);
    fuzz_logs_parse(&fuzz, access_json_parse);
    fuzz_logs_parse(&fuzz, access_combined_parse);
    fuzz_logs_parse(&fuzz, varnishncsa_parse);
    fuzz_logs_release(&fuzz);
    return 0;
}
