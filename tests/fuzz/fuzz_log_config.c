/* fuzz_log_config.c - an nginx dump and a php-fpm configuration of any bytes. */
#include "fuzz_logs.h"
#include "logs/fpm_config.h"
#include "logs/nginx_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_logs fuzz = {0};
    struct nginx_config nginx;
    struct fpm_config *fpm = malloc(sizeof *fpm);
    struct slice text;

    if (!fpm)
        abort();
    fuzz_logs_init(&fuzz, data, size);
    text = (struct slice){.ptr = fuzz.copy, .len_bytes = size};
    if (nginx_config_parse(text, &nginx) < 0)
        abort();
    nginx_config_release(&nginx);
    fpm_config_init(fpm);
    fpm_config_parse(fpm, text);
    free(fpm);
    fuzz_logs_release(&fuzz);
    return 0;
}
