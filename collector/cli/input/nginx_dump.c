/* nginx_dump.c - see nginx_dump.h. */
#include "cli/input/nginx_dump.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "analyze/doctor/doctor_proc.h"
#include "cli/input/command_output.h"

enum { OPTION_BYTES = 4096, ARGUMENTS_MAX = 12 };

/* Takes `program_fd`, or -errno instead of one. */
static int dump_by(int program_fd, char *const argv[], struct slice *ret_text)
{
    if (program_fd < 0)
        return program_fd;
    const int r = command_output(program_fd, argv, ret_text);
    close(program_fd);
    return r;
}

int nginx_dump(int64_t pid, struct slice title, struct slice *ret_text)
{
    static const char letters[] = "cpe"; /* a -g may hold blanks, which the title does not show */
    char name[] = "nginx", dump[] = "-T", options[3][3], values[3][OPTION_BYTES];
    char *argv[ARGUMENTS_MAX] = {name, dump};
    int count = 2, fd;

    *ret_text = (struct slice){0};
    for (int i = 0; letters[i]; i++) {
        const struct slice value = doctor_option(title, letters[i]);

        if (value.len_bytes == 0 || value.len_bytes >= OPTION_BYTES)
            continue;
        snprintf(options[i], sizeof options[i], "-%c", letters[i]);
        snprintf(values[i], sizeof values[i], "%.*s", (int) value.len_bytes, value.ptr);
        argv[count++] = options[i];
        argv[count++] = values[i];
    }
    fd = pid > 0 ? command_open_of_process(pid, "nginx") : command_open("/usr/sbin/nginx");
    return dump_by(fd, argv, ret_text);
}

int nginx_dump_of_file(const char *config_path, struct slice *ret_text)
{
    char name[] = "nginx", dump[] = "-T", option[] = "-c", path[OPTION_BYTES] = "";
    char *argv[] = {name, dump, config_path ? option : NULL, path, NULL};

    *ret_text = (struct slice){0};
    if (config_path && snprintf(path, sizeof path, "%s", config_path) >= (int) sizeof path)
        return -ENAMETOOLONG;
    return dump_by(command_find("nginx"), argv, ret_text);
}
