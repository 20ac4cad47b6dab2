/*
 * crl_skim.h - long revocation lists of our own, looked at without an object for each entry.
 *
 * libcrypto makes 200 bytes of each entry of 35, in half a second for a million.  To know how many there
 * are, whose list it is and whether it is still good, the entries need only be counted and hashed.
 */
#ifndef PS_CRL_SKIM_H
#define PS_CRL_SKIM_H

#include "base/rd.h"
#include "tls/crl.h"

enum { CRL_SKIM_MIN_BYTES = 1 << 20 };      /* of a file that is worth it */

struct crl_skim {
    struct span body;           /* what is signed, with its head */
    struct span front, tail;    /* all of it before the entries, and behind them */
    struct span algorithm;      /* of the signature, with its head */
    struct span signature;
    size_t entries;
};

/*
 * False for what is not a whole DER list in the form that crl_stream.h writes: version 2, entries of
 * a positive serial, a time and perhaps a reason, sorted, and extensions of the list.  That is no
 * error: OpenSSL may read it.
 */
bool crl_skim_der(const void *der, size_t len, struct crl_skim *out);

/*
 * The lists of a PEM file, as crl_list_from_pem() gives them; read from its beginning, `name` is for
 * messages.  With `skim`, those of a long file may have no entries but for their count: crl_issued_by()
 * and crl_info() know all, verify_chain() takes them for lists that are not there, and crl_has_serial()
 * and crl_to_pem() are not for them.
 */
PS_MUST bool crl_list_from_fd(int fd, const char *name, bool skim, struct crl_list *out,
                              struct ps_err *err);

#endif
