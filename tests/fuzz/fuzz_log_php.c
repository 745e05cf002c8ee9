/* fuzz_log_php.c - php-fpm, PHP error and slow log records of any bytes. */
#include "fuzz_logs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_logs fuzz = {0};

    fuzz_logs_init(&fuzz, data, size);
    fuzz_logs_parse(&fuzz, fpm_log_parse);
    fuzz_logs_parse(&fuzz, php_error_parse);
    fuzz_logs_parse(&fuzz, php_slow_parse);
    fuzz_logs_release(&fuzz);
    return 0;
}
