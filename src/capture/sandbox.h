/*
 * sandbox.h - a process that reads hostile packets needs nothing: it gives everything away first.
 *
 * What stays is reading and writing of descriptors that are open, memory and the clock.  No file can be
 * opened, no program started, no address connected to.  Whoever tries is killed by the kernel.  When the process that
 * started it ends, it gets SIGTERM.
 */
#ifndef CAPTURE_SANDBOX_H
#define CAPTURE_SANDBOX_H

#include "base/err.h"

/*
 * Root becomes nobody; all capabilities and the right to get new ones are gone; system calls are
 * filtered.  There is no way back: only for a process of its own.
 */
PS_MUST bool sandbox_enter(struct ps_err *err);

#endif
