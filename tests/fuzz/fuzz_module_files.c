/*
 * fuzz_module_files.c - any bytes as registration.php, etc/module.xml and a line of rules: a claim
 * with a short plain name or none.
 */
#include <stdint.h>
#include <string.h>

#include "analyze/module/module_overrides.h"
#include "analyze/module/module_registration.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_claim(const struct module_claim *claim)
{
    if (strnlen(claim->name, sizeof claim->name) == sizeof claim->name ||
        strpbrk(claim->name, "\t\n\"'<> \x1b"))
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice text = {.ptr = (const char *) data, .len_bytes = size};
    struct module_overrides *overrides = module_overrides_new();
    struct module_claim claim;

    module_registration_parse(text, &claim);
    check_claim(&claim);
    module_xml_parse(text, &claim);
    check_claim(&claim);
    if (overrides)
        module_overrides_add_line(overrides, text);
    module_overrides_free(overrides);
    return 0;
}
