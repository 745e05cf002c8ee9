/*
 * fuzz_doctor.c - everything that `fpmscope doctor` reads, from any bytes: what is found lies
 * inside of the text, and every parser comes to an end.
 *
 * The first byte chooses the parser.
 */
#include <stdint.h>
#include <string.h>

#include "analyze/doctor/doctor_cgroup.h"
#include "analyze/doctor/doctor_php_info.h"
#include "analyze/doctor/doctor_proc.h"
#include "analyze/doctor/doctor_varnish_words.h"
#include "logs/nginx_hops.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct slice whole, struct slice part)
{
    if (part.len_bytes > 0 &&
        (part.ptr < whole.ptr || part.ptr + part.len_bytes > whole.ptr + whole.len_bytes))
        __builtin_trap();
}

static void try_proc(struct slice text)
{
    struct slice rest = text, path;
    bool deleted;

    while (doctor_next_mapping(&rest, &path, &deleted)) {
        check_inside(text, path);
        check_inside(text, doctor_base_name(path));
    }
    (void) doctor_keyed_number(text, "MemTotal:");
    (void) doctor_unix_listens(text, SLICE("/run/fpmscope/collector.sock"));
    (void) doctor_cgroup_limit(text);
    check_inside(text, doctor_cgroup_paths(text).v2);
    check_inside(text, doctor_cgroup_paths(text).v1_memory);
}

static void try_titles(struct slice text)
{
    struct slice what;

    (void) doctor_fpm_title(text, &what);
    check_inside(text, what);
    check_inside(text, doctor_environment(text, "LD_PRELOAD"));
    check_inside(text, doctor_option(text, 'c'));
}

static void try_php(struct slice text)
{
    struct slice rest = text, name;

    check_inside(text, doctor_php_info(text).version);
    check_inside(text, doctor_php_branch(text));
    while (doctor_next_module(&rest, &name))
        check_inside(text, name);
}

static void check_address(const struct varnish_address *address)
{
    if (address->port < 0 || address->port > 65535 ||
        memchr(address->host, '\0', sizeof address->host) == NULL)
        __builtin_trap();
}

static void try_varnish(struct slice text)
{
    struct varnish_address address;
    struct slice rest = text;

    while (varnish_next_backend(&rest, &address))
        check_address(&address);
    rest = text;
    while (varnish_next_listener(&rest, &address))
        check_address(&address);
    if (varnish_parse_address(text, &address))
        check_address(&address);
    check_inside(text, varnish_parameter(text, "http_resp_size"));
    (void) varnish_parse_bytes(text);
}

static void try_nginx(struct slice text)
{
    struct nginx_hops hops;

    if (nginx_hops_parse(text, &hops) == 0)
        for (size_t i = 0; i < hops.count; i++)
            if (strlen(hops.items[i].address) >= NGINX_HOP_TEXT_BYTES ||
                hops.items[i].buffer_size_bytes < 0)
                __builtin_trap();
    nginx_hops_release(&hops);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const parsers[])(struct slice text) = {try_proc, try_titles, try_php, try_varnish,
                                                         try_nginx};
    const struct slice text = {.ptr = (const char *) data + 1, .len_bytes = size ? size - 1 : 0};

    if (size > 0)
        parsers[data[0] % (sizeof parsers / sizeof *parsers)](text);
    return 0;
}
