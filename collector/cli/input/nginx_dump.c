/* nginx_dump.c - see nginx_dump.h. */
#include "cli/input/nginx_dump.h"

#include <stdio.h>
#include <unistd.h>

#include "analyze/doctor/doctor_proc.h"
#include "cli/input/command_output.h"

enum { OPTION_BYTES = 4096, ARGUMENTS_MAX = 12 };

int nginx_dump(int64_t pid, struct slice title, struct slice *ret_text)
{
    static const char letters[] = "cpe"; /* a -g may hold blanks, which the title does not show */
    char name[] = "nginx", dump[] = "-T", options[3][3], values[3][OPTION_BYTES];
    char *argv[ARGUMENTS_MAX] = {name, dump};
    int count = 2, fd, r;

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
    if (fd < 0)
        return fd;
    r = command_output(fd, argv, ret_text);
    close(fd);
    return r;
}
