/*
 * process.h - the server's process as it left its traces in the data directory.
 *
 * Source: src/include/utils/pidfile.h (postmaster.pid), postmaster.c CreateOptsFile
 * (postmaster.opts) and its getopt string.
 */
#ifndef PS_PROCESS_H
#define PS_PROCESS_H

#include "base/err.h"
#include "facts/server.h"

/*
 * Parse postmaster.pid: fills pid, port, socket_dir, listen.  False when the text is not one (a start
 * that has not written it yet included).
 */
bool pidfile_parse(struct server *server, const char *text);

/*
 * Parse postmaster.opts: the program into *program, the settings among the arguments into args.
 * Short options are translated to the settings they stand for.
 */
void optsfile_parse(struct server *server, const char *text, const char **program);

/* Is the process of server->pid a postmaster of this data directory? */
bool process_is_server(const struct server *server);

/* The folder of the program that the process runs, into the arena; NULL when it cannot be seen. */
const char *process_bin_dir(struct server *server);

#endif
