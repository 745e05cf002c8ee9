/*
 * fuzz_module_files.c - any bytes as registration.php, etc/module.xml and a line of rules: a claim
 * with a short plain name or none.  The same bytes as a PHP file: a class of words, or none.
 */
#include <stdint.h>
#include <string.h>

#include "analyze/module/module_overrides.h"
#include "analyze/module/module_registration.h"
#include "analyze/module/php_class_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_claim(const struct module_claim *claim)
{
    if (strnlen(claim->name, sizeof claim->name) == sizeof claim->name ||
        strpbrk(claim->name, "\t\n\"'<> \x1b"))
        __builtin_trap();
}

static void check_class(struct slice text)
{
    char name[PHP_CLASS_NAME_BYTES];
    const struct slice found = php_class_scan(text, name);

    if (found.len_bytes >= sizeof name || (found.len_bytes > 0 && found.ptr != name))
        __builtin_trap();
    for (size_t i = 0; i < found.len_bytes; i++)
        if (strchr(" \t\n'\"/()", found.ptr[i]))
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
    check_class(text);
    if (overrides)
        module_overrides_add_line(overrides, text);
    module_overrides_free(overrides);
    return 0;
}
