/* gateway_names.c - verdicts, reasons, killers, hops and joins by the names that are printed. */
#include "analyze/gateway/gateway.h"

static const char *const verdict_names[] = {
#define VERDICT(code, meaning) [VERDICT_##code] = #code,
#include "analyze/gateway/verdicts.def"
};
static const char *const verdict_meanings[] = {
#define VERDICT(code, meaning) [VERDICT_##code] = meaning,
#include "analyze/gateway/verdicts.def"
};
static const char *const reason_names[] = {
    [REASON_NONE] = "",
    [REASON_BACKLOG_FULL] = "backlog_full",
    [REASON_CONNECT_TIMEOUT] = "connect_timeout",
    [REASON_EMERGENCY_RESTART] = "emergency_restart",
    [REASON_RELOAD] = "reload",
    [REASON_RESTART] = "restart",
};
static const char *const killer_names[] = {
    [KILLER_NONE] = "",         [KILLER_OUTSIDE] = "outside", [KILLER_SELF] = "self",
    [KILLER_KERNEL] = "kernel", [KILLER_MASTER] = "master",
};
static const char *const hop_names[] = {
    [HOP_NONE] = "", [HOP_FASTCGI] = "fastcgi", [HOP_FRONT_PROXY] = "front_proxy"};
static const char *const join_names[] = {
    [JOIN_EXACT] = "exact", [JOIN_STRONG] = "strong", [JOIN_AMBIGUOUS] = "ambiguous"};

const char *gateway_verdict_name(enum gateway_verdict verdict)
{
    return verdict_names[verdict];
}

const char *gateway_verdict_meaning(enum gateway_verdict verdict)
{
    return verdict_meanings[verdict];
}

const char *gateway_reason_name(enum gateway_reason reason)
{
    return reason_names[reason];
}

const char *gateway_killer_name(enum gateway_killer killer)
{
    return killer_names[killer];
}

const char *gateway_hop_name(enum gateway_hop hop)
{
    return hop_names[hop];
}

const char *gateway_join_name(enum gateway_join join)
{
    return join_names[join];
}
