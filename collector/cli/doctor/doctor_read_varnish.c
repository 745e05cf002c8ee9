/* doctor_read_varnish.c - varnishd: does it run, where does it listen, does it reach its backends.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "analyze/doctor/doctor_proc.h"
#include "analyze/doctor/doctor_varnish_words.h"
#include "cli/input/command_output.h"
#include "cli/doctor/doctor_readers.h"
#include "cli/input/small_file.h"

enum {
    COMMAND_LINE_BYTES = 64 << 10,
    VCL_MAX_BYTES = 1 << 20,
    CONNECT_WAIT_MS = 1000,
    BACKENDS_TRIED_MAX = 32,
    PORT_USUAL = 6081,
};

/* 1 or 0 with the reason; numeric addresses and localhost only: no name server is asked. */
static int try_connect(const struct varnish_address *address, const char **ret_problem)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    const char *host = strcmp(address->host, "localhost") == 0 ? "127.0.0.1" : address->host;
    struct addrinfo *found;
    char port[8];
    int fd, error = 0;

    snprintf(port, sizeof port, "%d", address->port);
    if (getaddrinfo(host, port, &hints, &found) != 0) {
        *ret_problem = "it is a name, not an address";
        return -1;
    }
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) < 0)
        error = errno;
    freeaddrinfo(found);
    if (error == EINPROGRESS) {
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        socklen_t length = sizeof error;

        if (poll(&wait, 1, CONNECT_WAIT_MS) <= 0)
            error = ETIMEDOUT;
        else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
            error = errno;
    }
    if (fd >= 0)
        close(fd);
    *ret_problem = error ? strerror(error) : NULL;
    return error == 0;
}

static void add_backend(struct doctor_host *host, const struct varnish_address *address)
{
    struct doctor_backend *backend;
    char text[VARNISH_HOST_BYTES + 16];
    const char *problem;

    if (host->varnish.backends.count >= BACKENDS_TRIED_MAX)
        return;
    backend = array_add(&host->varnish.backends);
    if (!backend)
        return;
    snprintf(text, sizeof text, strchr(address->host, ':') ? "[%s]:%d" : "%s:%d", address->host,
             address->port);
    backend->address = doctor_host_text(host, slice_of(text));
    backend->reachable = try_connect(address, &problem);
    backend->problem = doctor_host_text(host, slice_of(problem));
    if (!backend->address)
        backend->address = "?";
}

static void read_vcl(struct doctor_host *host, struct slice file)
{
    char path[PATH_MAX];
    struct varnish_address address;
    struct slice text, rest;

    if (snprintf(path, sizeof path, "%s%.*s", file.ptr[0] == '/' ? "" : "/etc/varnish/",
                 (int) (file.len_bytes < PATH_MAX / 2 ? file.len_bytes : 0),
                 file.ptr) >= (int) sizeof path ||
        small_file_read(path, VCL_MAX_BYTES, &text) < 0) {
        host->varnish.why_no_backends = "varnishd's VCL file cannot be read";
        return;
    }
    rest = text;
    while (varnish_next_backend(&rest, &address))
        add_backend(host, &address);
    if (host->varnish.backends.count == 0)
        host->varnish.why_no_backends = "the VCL names no backend by itself (include, or director)";
    small_file_free(&text);
}

static void read_backends(struct doctor_host *host, struct slice command_line)
{
    const struct slice direct = doctor_option(command_line, 'b');
    const struct slice file = doctor_option(command_line, 'f');
    struct varnish_address address;

    if (direct.len_bytes > 0 && varnish_parse_address(direct, &address)) {
        if (address.port == 0)
            address.port = 80;
        add_backend(host, &address);
    } else if (file.len_bytes > 0) {
        read_vcl(host, file);
    } else {
        host->varnish.why_no_backends = "varnishd was started without -b and -f";
    }
}

static void read_sizes(struct doctor_varnish *varnish, struct slice command_line)
{
    varnish->http_resp_hdr_len_bytes =
        varnish_parse_bytes(varnish_parameter(command_line, "http_resp_hdr_len"));
    varnish->http_resp_size_bytes =
        varnish_parse_bytes(varnish_parameter(command_line, "http_resp_size"));
}

/* A hop goes to Varnish when its port is one of Varnish's, or the usual one. */
static bool is_listener(struct slice command_line, int port)
{
    struct varnish_address listener;
    bool any = false;

    while (varnish_next_listener(&command_line, &listener)) {
        any = true;
        if (listener.port == port)
            return true;
    }
    return !any && port == PORT_USUAL;
}

static void mark_hops(struct doctor_host *host, struct slice command_line)
{
    struct varnish_address address;

    for (size_t i = 0; i < host->nginx.hops.count; i++) {
        struct doctor_hop *hop = array_at(&host->nginx.hops, i);

        if (hop->fastcgi)
            continue;
        if (varnish_parse_address(slice_of(hop->pass), &address))
            hop->to_varnish |= is_listener(command_line, address.port);
    }
}

/* What the platform was told; one line. */
static void read_setting(struct doctor_host *host)
{
    char name[] = "hypernode-systemctl", settings[] = "settings", key[] = "varnish_enabled";
    char *const argv[] = {name, settings, key, NULL};
    struct slice text = {0}, rest, line;
    const int fd = host->hypernode ? command_open("/usr/bin/hypernode-systemctl") : -1;

    if (fd < 0)
        return;
    /* A script: its interpreter opens it by the descriptor, which must outlive exec. */
    (void) fcntl(fd, F_SETFD, 0);
    if (command_output(fd, argv, &text) == 0) {
        rest = text;
        if (doctor_next_line(&rest, &line))
            host->varnish.enabled_setting = doctor_host_text(host, line);
    }
    small_file_free(&text);
    close(fd);
}

/* The manager process: the one that was asked for, or one whose parent is no varnishd. */
static const struct doctor_process *find_manager(const struct array *processes, int64_t wanted_pid)
{
    for (size_t i = 0; i < processes->count; i++) {
        const struct doctor_process *process = array_at(processes, i);
        bool child = wanted_pid > 0 && process->pid != wanted_pid;

        for (size_t k = 0; k < processes->count; k++)
            child |= ((struct doctor_process *) array_at(processes, k))->pid == process->parent;
        if (!child)
            return process;
    }
    return NULL;
}

void doctor_read_varnish(struct doctor_reading *reading)
{
    struct doctor_host *host = reading->host;
    const struct doctor_process *manager =
        find_manager(&reading->varnish, reading->request->varnish_pid);
    struct slice command_line = {0};

    host->varnish.installed = access("/usr/sbin/varnishd", F_OK) == 0;
    read_setting(host);
    if (manager) {
        host->varnish.pid = manager->pid;
        if (small_file_read_proc(manager->pid, "cmdline", COMMAND_LINE_BYTES, &command_line) == 0) {
            read_backends(host, command_line);
            read_sizes(&host->varnish, command_line);
        }
    }
    mark_hops(host, command_line);
    small_file_free(&command_line);
}
