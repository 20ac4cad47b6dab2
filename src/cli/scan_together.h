/*
 * scan_together.h - what only the servers of a scan together tell.
 */
#ifndef CLI_SCAN_TOGETHER_H
#define CLI_SCAN_TOGETHER_H

#include "facts/seen.h"

/* Who has the same private key as another server: sets shares_key_with.  Those that are NULL were not seen. */
void scan_find_shared_keys(struct seen *const *seen, size_t len);

/* The CAs that some server sent, each once: what another one forgot to send may be among them. */
void scan_collect_cas(struct seen *const *seen, size_t len, struct cert_list *out);

#endif
