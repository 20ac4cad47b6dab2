/*
 * offer.h - a ClientHello of our own making, for asking what no library offers any more.
 *
 * Nothing is computed: the key shares are points that need no secret of ours (we never finish such a
 * handshake), so that an offer costs a few microseconds.  Source: RFC 8446 4.1.2, 4.2 (and D.4 for
 * how a hello of TLS 1.3 looks on the outside); RFC 5246 7.4.1.2; RFC 6101 for SSL 3.0; RFC 8422;
 * RFC 9794 and draft-ietf-tls-ecdhe-mlkem for the hybrid groups.
 */
#ifndef PS_OFFER_H
#define PS_OFFER_H

#include "base/buf.h"

enum { OFFER_MAX = 16384 };     /* of the whole record: lists beyond it are a mistake of ours */

/* IANA numbers where the meaning of a number matters here; names are in names.h. */
enum {
    SUITE_RENEGOTIATION_SCSV = 0x00ff, SUITE_FALLBACK_SCSV = 0x5600,
    GROUP_P256 = 0x0017, GROUP_P384 = 0x0018, GROUP_P521 = 0x0019, GROUP_X25519 = 0x001d,
    GROUP_X448 = 0x001e, GROUP_FFDHE2048 = 0x0100, GROUP_P256_MLKEM768 = 0x11eb,
    GROUP_X25519_MLKEM768 = 0x11ec, GROUP_P384_MLKEM1024 = 0x11ed
};

struct offer_list {
    const uint16_t *at;
    size_t len;
};

struct offer {
    uint16_t version;               /* legacy_version: 0x0300 to 0x0303 */
    struct offer_list versions;     /* supported_versions; empty: no such extension */
    struct offer_list suites;       /* never empty */
    struct offer_list groups;       /* supported_groups; empty: no such extension */
    struct offer_list shares;       /* key_share, of X25519 and P-256; without one a server that speaks
                                       TLS 1.3 answers with the group that it wants */
    struct offer_list signatures;   /* signature_algorithms; empty: no such extension */
    const char *host;               /* server_name; NULL: none */
    bool alpn;                      /* "postgresql" */
    bool compression;               /* DEFLATE before null */
    bool extended_master_secret, encrypt_then_mac, ticket;  /* empty ones that a server may echo */
    bool bare;                      /* no extension at all, as SSL 3.0 had it */
};

/* The record with the hello; a fresh random each time.  False: no random bytes, or over OFFER_MAX. */
PS_MUST bool offer_put(const struct offer *offer, struct buf *out);

#endif
