/*
 * dump.h - packets into a file, as pcap.
 */
#ifndef CAPTURE_DUMP_H
#define CAPTURE_DUMP_H

#include "base/err.h"
#include "capture/frame.h"

struct dump;
/* Packets of this link type; the file is made with 0600, for it holds what was readable. */
PS_MUST bool dump_open(const char *path, int link_type, struct dump **out, struct ps_err *err);
int dump_link_type(const struct dump *dump);
void dump_packet(struct dump *dump, const struct frame *frame);
PS_MUST bool dump_finish(struct dump *dump, struct ps_err *err);
void dump_close(struct dump *dump);
PS_DEFINE_FREEP(struct dump, dump_close)

#endif
