/*
 * paths.h - where things are when nobody says: the data directory, the socket, the recorder pages,
 * the configuration (collector/DESIGN.md, "Names that users type").
 *
 * Each function fills `ret_path` and returns 0, or -ENAMETOOLONG.  The environment wins, then root
 * has system paths and everybody else the XDG ones.
 */
#ifndef FPMSCOPE_BASE_PATHS_H
#define FPMSCOPE_BASE_PATHS_H

#include <stddef.h>

/* $FPMSCOPE_DATA; /var/lib/fpmscope; $XDG_STATE_HOME/fpmscope, ~/.local/state/fpmscope. */
int path_of_data(char *ret_path, size_t size_bytes);

/* $FPMSCOPE_SOCKET; /run/fpmscope/collector.sock; $XDG_RUNTIME_DIR/fpmscope/collector.sock;
 * /tmp/fpmscope-UID/collector.sock. */
int path_of_socket(char *ret_path, size_t size_bytes);

/*
 * The recorder pages of the workers that speak to `socket_path` (include/fpmscope/recorder.h):
 * $FPMSCOPE_PAGES; `pages` beside the socket when that is on tmpfs; /dev/shm/fpmscope-UID/pages.
 */
int path_of_pages(const char *socket_path, char *ret_path, size_t size_bytes);

/* $FPMSCOPE_CONFIG; /etc/fpmscope/fpmscope.conf; $XDG_CONFIG_HOME/fpmscope/fpmscope.conf. */
int path_of_config(char *ret_path, size_t size_bytes);

/* Make `path` and its missing parents, the last one with mode 0700.  0 or -errno. */
int path_make_directory(const char *path);

/* `path` as it is seen from everywhere; symlinks stay.  -ENAMETOOLONG, or why there is no working
 * directory. */
int path_absolute(const char *path, char *ret_path, size_t size_bytes);

/*
 * The directory part of `path`, "." when it has none; -ENAMETOOLONG.
 */
int path_parent(const char *path, char *ret_path, size_t size_bytes);

#endif
