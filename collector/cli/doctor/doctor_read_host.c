/* doctor_read_host.c - all readers, one after the other. */
#include <stdlib.h>
#include <unistd.h>

#include "cli/doctor/doctor_readers.h"
#include "cli/input/small_file.h"

typedef void (*doctor_reader_fn)(struct doctor_reading *reading);

/* Later ones use what earlier ones found. */
static const doctor_reader_fn readers[] = {
    doctor_read_processes, doctor_read_fpm,       doctor_read_nginx,  doctor_read_varnish,
    doctor_read_memory,    doctor_read_collector, doctor_read_kernel, doctor_read_logs,
};

static bool is_hypernode(void)
{
    return access("/etc/hypernode", F_OK) == 0 || access("/usr/bin/hypernode-systemctl", X_OK) == 0;
}

struct doctor_host *doctor_read_host(const struct doctor_request *request)
{
    struct doctor_host *host = doctor_host_new();
    struct doctor_reading reading = {.request = request, .host = host};

    if (!host)
        return NULL;
    host->root = geteuid() == 0;
    host->hypernode = is_hypernode();
    array_init(&reading.fpm, sizeof(struct doctor_process), DOCTOR_PROCESSES_MAX);
    array_init(&reading.nginx, sizeof(struct doctor_process), DOCTOR_PROCESSES_MAX);
    array_init(&reading.varnish, sizeof(struct doctor_process), DOCTOR_PROCESSES_MAX);
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        readers[i](&reading);
    array_release(&reading.fpm);
    array_release(&reading.nginx);
    array_release(&reading.varnish);
    small_file_free(&reading.nginx_text);
    free(reading.fpm_logs);
    return host;
}
