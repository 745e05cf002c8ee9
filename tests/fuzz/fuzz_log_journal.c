/* fuzz_log_journal.c - entries of journalctl -o json and -o export, of any bytes. */
#include "fuzz_logs.h"
#include "logs/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_logs fuzz = {0};

    fuzz_logs_init(&fuzz, data, size);
    (void) journal_export_complete((struct slice){fuzz.copy, fuzz.size_bytes});
    fuzz_logs_parse(&fuzz, journal_json_parse);
    fuzz_logs_parse(&fuzz, journal_export_parse);
    fuzz_logs_release(&fuzz);
    return 0;
}
