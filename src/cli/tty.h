/*
 * tty.h - what the terminal can show.
 */
#ifndef CLI_TTY_H
#define CLI_TTY_H

#include "doc/render.h"

/* Width (0 when unknown) and colour (never with NO_COLOR, see no-color.org) of a descriptor. */
struct doc_style tty_style(int fd, bool verbose);

#endif
