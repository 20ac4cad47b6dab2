/*
 * status_doc.h - what `pgseal status` found, and how it becomes a document.
 */
#ifndef CLI_STATUS_DOC_H
#define CLI_STATUS_DOC_H

#include <time.h>

#include "facts/severity.h"
#include "doc/doc.h"
#include "inspect/inforce.h"
#include "inspect/sessions.h"
#include "inspect/sslinfo.h"
#include "inspect/tlsfiles.h"
#include "tls/peer.h"

struct status {
    struct arena *arena;        /* holds the texts of all that follows */
    struct sql_link link;
    const char *server_version;
    time_t now;
    long warn_days;
    struct sessions sessions;
    struct inforce settings;
    struct sslinfo sslinfo;
    struct tls_items files;
    struct cert *served;        /* NULL: this connection has no TLS */
};

/* Fill in the document; answers the worst severity among the findings. */
enum severity status_describe(const struct status *status, struct doc_node *root);

#endif
