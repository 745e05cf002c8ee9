/*
 * access_combined.c - common, combined and vcombined lines, and combined lines that somebody has
 * lengthened ("$http_x_forwarded_for", rt=0.065 urt="0.064").
 */
#include "logs/access_draft.h"
#include "logs/parsers.h"
#include "logs/scan.h"

/* "text" -> text; a quote inside is \x22 or \" in what nginx writes. */
static bool take_quoted(struct scan *scan, struct slice *ret_text)
{
    struct scan ahead = *scan;
    const char *at;

    if (!scan_byte(&ahead, '"'))
        return false;
    for (at = ahead.at; at < ahead.end && *at != '"'; at++) {
        if (*at == '\\')
            at++;
    }
    if (at >= ahead.end)
        return false;
    *ret_text = scan_between(ahead.at, at);
    scan->at = at + 1;
    return true;
}

/* example.org:443 -> host and port; not for 2a02:a44f::5, whose last colon follows another */
static void set_vhost(struct access_draft *draft, struct slice vhost)
{
    const char *colon = vhost.len_bytes ? memrchr(vhost.ptr, ':', vhost.len_bytes) : NULL;
    int64_t port;

    if (colon && scan_whole_int(scan_between(colon + 1, vhost.ptr + vhost.len_bytes), &port)) {
        access_draft_set(draft, ACCESS_PORT, scan_between(colon + 1, vhost.ptr + vhost.len_bytes));
        vhost = scan_between(vhost.ptr, colon);
    }
    access_draft_set(draft, ACCESS_HOST, vhost);
}

/*
 * Before the '[': "addr ident user", or "host:port addr ident user" (vcombined).  A user name may
 * hold blanks, so the ident, which nginx always writes as '-', is what tells the two apart.
 */
static bool take_head(struct scan *scan, struct access_draft *draft)
{
    struct slice head, words[4];
    struct scan inner;
    int count = 0, addr;

    if (!scan_until(scan, '[', &head))
        return false;
    inner = scan_of(head);
    while (count < 4 && scan_token(&inner, &words[count])) {
        scan_blanks(&inner);
        count++;
    }
    if (count < 3)
        return false;
    addr = count == 4 && slice_equal(words[2], SLICE("-")) && words[1].len_bytes > 1;
    if (addr == 1)
        set_vhost(draft, words[0]);
    access_draft_set(draft, ACCESS_REMOTE_ADDR, words[addr]);
    access_draft_set(draft, ACCESS_REMOTE_USER, words[addr + 2]);
    return true;
}

static bool take_core(struct scan *scan, struct access_draft *draft)
{
    struct slice time, request, status, bytes;

    if (!scan_until(scan, ']', &time))
        return false;
    scan_blanks(scan);
    if (!take_quoted(scan, &request))
        return false;
    scan_blanks(scan);
    if (!scan_token(scan, &status))
        return false;
    access_draft_set(draft, ACCESS_TIME, time);
    access_draft_set(draft, ACCESS_REQUEST, request);
    access_draft_set(draft, ACCESS_STATUS, status);
    scan_blanks(scan);
    if (scan_token(scan, &bytes))
        access_draft_set(draft, ACCESS_BODY_BYTES, bytes);
    return true;
}

/* name=value or name="value"; anything else is stepped over */
static bool take_extra(struct scan *scan, struct access_draft *draft)
{
    struct slice name, value;
    const char *first;

    scan_blanks(scan);
    if (scan_done(scan))
        return false;
    if (take_quoted(scan, &value))
        return true;
    for (first = scan->at; scan->at < scan->end && *scan->at != ' ' && *scan->at != '=';)
        scan->at++;
    name = scan_between(first, scan->at);
    if (!scan_byte(scan, '='))
        return true;
    if (take_quoted(scan, &value) || scan_token(scan, &value))
        access_draft_set(draft, access_name_find(draft->context->names, name), value);
    return true;
}

bool access_combined_parse(struct slice record, const struct log_context *context,
                           struct log_event *ret_event)
{
    struct scan scan = scan_of(record);
    struct access_draft draft;
    struct slice text;

    access_draft_init(&draft, context, ret_event, true);
    if (!take_head(&scan, &draft) || !take_core(&scan, &draft))
        return false;
    scan_blanks(&scan);
    if (take_quoted(&scan, &text)) {
        access_draft_set(&draft, ACCESS_REFERER, text);
        scan_blanks(&scan);
        if (take_quoted(&scan, &text))
            access_draft_set(&draft, ACCESS_USER_AGENT, text);
    }
    while (take_extra(&scan, &draft))
        ;
    return access_draft_finish(&draft);
}
