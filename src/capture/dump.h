/*
 * dump.h - packets into a file, as pcap.
 *
 * A file has one link type.  A packet of another one is written from its IP head on, behind a link head that is
 * made for it: so whoever reads the file needs to know no more than pcap.
 */
#ifndef CAPTURE_DUMP_H
#define CAPTURE_DUMP_H

#include "base/err.h"
#include "capture/frame.h"

struct dump;
/*
 * Packets of this link type, or of raw IP if no head can be made for it; the file is made with 0600, for it holds
 * what was readable.
 */
PS_MUST bool dump_open(const char *path, int link_type, struct dump **out, struct ps_err *err);
void dump_packet(struct dump *dump, int link_type, const struct frame *frame);      /* one of TCP */
PS_MUST bool dump_finish(struct dump *dump, struct ps_err *err);
void dump_close(struct dump *dump);
PS_DEFINE_FREEP(struct dump, dump_close)

#endif
