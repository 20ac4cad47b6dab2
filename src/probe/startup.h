/*
 * startup.h - what a server answers to a StartupMessage, read into facts.
 */
#ifndef PS_STARTUP_H
#define PS_STARTUP_H

#include "pg/wire.h"
#include "facts/seen.h"

/* For a shot: enough when the message that decides has come. */
enum wire_parse startup_enough(const void *bytes, size_t len);

/* The texts go into `arena`.  STARTUP_UNKNOWN when the bytes do not decide. */
void startup_read(const void *bytes, size_t len, struct arena *arena, struct startup_seen *out);

#endif
