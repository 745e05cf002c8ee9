/* doctor_varnish.c - is Varnish there for the vhosts that go through it, and does it reach nginx.
 */
#include "analyze/doctor/doctor.h"

#include "analyze/doctor/doctor_commands.h"
#include "analyze/doctor/doctor_names.h"

static const char *server_of(const struct doctor_hop *hop)
{
    return hop->server && hop->server[0] ? hop->server : "_";
}

static void say_vhosts(const struct doctor_host *host, enum doctor_state state,
                       struct doctor_finding *finding, struct doctor_names *ret_vhosts)
{
    for (size_t i = 0; i < host->nginx.hops.count; i++) {
        const struct doctor_hop *hop = doctor_hop_at(host, i);

        if (!hop->to_varnish)
            continue;
        doctor_names_add(ret_vhosts, server_of(hop));
        doctor_raise(finding, state, "vhost %s passes through Varnish (%s, %s)", server_of(hop),
                     hop->pass, hop->where);
    }
}

static void fix_absence(const struct doctor_host *host, const struct doctor_names *vhosts,
                        struct doctor_finding *finding)
{
    char start[DOCTOR_COMMAND_BYTES], around[DOCTOR_COMMAND_BYTES];
    char others[DOCTOR_NAMES_TEXT_BYTES];

    doctor_fix(finding, "%s; or around it: %s%s%s",
               doctor_command(host, DOCTOR_COMMAND_START_VARNISH, NULL, start, sizeof start),
               doctor_command(host, DOCTOR_COMMAND_VARNISH_OF_VHOST, vhosts->items[0], around,
                              sizeof around),
               vhosts->count > 1 ? ", and so for " : "", doctor_names_text(vhosts, 1, others));
}

void doctor_check_varnish(const struct doctor_host *host, struct doctor_finding *finding)
{
    const bool runs = host->varnish.pid > 0;
    struct doctor_names through = {.count = 0};

    say_vhosts(host, runs ? DOCTOR_OK : DOCTOR_FAIL, finding, &through);
    if (host->varnish.enabled_setting)
        doctor_say(finding, "%s", host->varnish.enabled_setting);
    if (!runs && through.count > 0) {
        doctor_raise(finding, DOCTOR_FAIL, "varnishd does not run: these vhosts answer 502");
        fix_absence(host, &through, finding);
    } else if (!runs) {
        doctor_skip(finding, "%s",
                    host->varnish.installed ? "varnishd is installed, does not run, and "
                                              "nginx does not need it"
                                            : "no Varnish on this host");
    } else {
        doctor_say(
            finding, "varnishd runs (pid %lld)%s", (long long) host->varnish.pid,
            through.count > 0 || !host->nginx.known ? "" : "; no vhost of nginx passes through it");
    }
}

void doctor_check_varnish_backend(const struct doctor_host *host, struct doctor_finding *finding)
{
    const struct doctor_varnish *varnish = &host->varnish;
    struct doctor_names refused = {.count = 0};
    char names[DOCTOR_NAMES_TEXT_BYTES];

    if (varnish->pid <= 0) {
        doctor_skip(finding, "varnishd does not run");
        return;
    }
    if (varnish->backends.count == 0) {
        doctor_skip(finding, "%s",
                    varnish->why_no_backends ? varnish->why_no_backends : "no backend was found");
        return;
    }
    for (size_t i = 0; i < varnish->backends.count; i++) {
        const struct doctor_backend *backend = array_at(&varnish->backends, i);

        if (backend->reachable == 1) {
            doctor_say(finding, "backend %s accepts connections", backend->address);
            continue;
        }
        if (backend->reachable < 0) {
            doctor_skip(finding, "backend %s was not tried: %s", backend->address,
                        backend->problem ? backend->problem : "?");
            continue;
        }
        doctor_raise(finding, DOCTOR_FAIL,
                     "backend %s: %s: Varnish answers 503 to what it has not "
                     "in its cache",
                     backend->address, backend->problem ? backend->problem : "not reachable");
        doctor_names_add(&refused, backend->address);
    }
    if (refused.count > 0)
        doctor_fix(finding,
                   "let nginx listen on %s, or name its port in the VCL (.port) or varnishd's "
                   "-b; then varnishadm backend.list",
                   doctor_names_text(&refused, 0, names));
}

void doctor_check_varnish_headers(const struct doctor_host *host, struct doctor_finding *finding)
{
    enum { HDR_LEN_BYTES = 8 << 10, RESP_SIZE_BYTES = 32 << 10 }; /* Varnish's own defaults */
    const struct doctor_varnish *varnish = &host->varnish;
    const bool small =
        (varnish->http_resp_hdr_len_bytes >= 0 &&
         varnish->http_resp_hdr_len_bytes < HDR_LEN_BYTES) ||
        (varnish->http_resp_size_bytes >= 0 && varnish->http_resp_size_bytes < RESP_SIZE_BYTES);

    if (varnish->pid <= 0) {
        doctor_skip(finding, "varnishd does not run");
        return;
    }
    if (varnish->http_resp_hdr_len_bytes < 0 && varnish->http_resp_size_bytes < 0) {
        doctor_say(finding, "varnishd: 8k a header, 32k all of them (defaults)");
        return;
    }
    doctor_raise(finding, small ? DOCTOR_WARN : DOCTOR_OK,
                 "varnishd: http_resp_hdr_len %lld, http_resp_size %lld (-1: default)",
                 (long long) varnish->http_resp_hdr_len_bytes,
                 (long long) varnish->http_resp_size_bytes);
    if (small)
        doctor_fix(finding, "varnishd -p http_resp_hdr_len=64k -p http_resp_size=128k "
                            "-p workspace_backend=256k");
}
