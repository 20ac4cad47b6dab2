/*
 * shelf.h - the certificates that a capture has seen, each once, as they were sent.
 *
 * Nothing is parsed here.  Bounds: SHELF_MAX certificates, SHELF_BYTES_MAX together, CERT_BYTES_MAX each.
 */
#ifndef CAPTURE_SHELF_H
#define CAPTURE_SHELF_H

#include "base/rd.h"
#include "capture/talk.h"

enum { SHELF_MAX = 4096, SHELF_BYTES_MAX = 4 << 20, CERT_BYTES_MAX = 64 * 1024 };

struct cert_shelf *cert_shelf_new(void);
void cert_shelf_free(struct cert_shelf *shelf);
PS_DEFINE_FREEP(struct cert_shelf, cert_shelf_free)
size_t cert_shelf_len(const struct cert_shelf *shelf);
uint64_t cert_shelf_refused(const struct cert_shelf *shelf);    /* how often one did not fit */
struct span cert_shelf_at(const struct cert_shelf *shelf, size_t i);    /* its number is i + 1 */

#endif
