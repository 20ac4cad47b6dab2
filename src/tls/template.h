/*
 * template.h - certificates of one kind by the thousand, written straight as DER.
 *
 * What cert_make() would put into every certificate of one issuer and one profile is taken, once, from
 * a sample that cert_make() has made; then only the serial, the dates, the CN, the public key, its key
 * identifier and the signature are written for each.  The result is, byte for byte, what cert_make()
 * would give (RFC 5280 4), six times as fast: libcrypto's encoders take longer than the signature.
 */
#ifndef PS_TEMPLATE_H
#define PS_TEMPLATE_H

#include "tls/cert.h"
#include "tls/digest.h"
#include "tls/key.h"

struct cert_template;   /* never changes once made: any number of threads may use it */
void cert_template_free(struct cert_template *form);
PS_DEFINE_FREEP(struct cert_template, cert_template_free)

/* Everything of `spec` is fixed by it but CN, dates and serial, which are not used.  Errors are those
 * of cert_make(). */
PS_MUST bool cert_template_new(const struct cert_spec *spec, const struct cert *issuer,
                               const struct key *issuer_key, struct cert_template **out,
                               struct ps_err *err);

struct cert_blank {             /* what is filled in */
    const char *common_name;    /* not empty, at most 64 characters of UTF-8: else PS_E_VALUE */
    time_t not_before, not_after;   /* the end is cut to the issuer's */
    const unsigned char *serial;    /* CERT_SERIAL_BYTES of cert_new_serial(); NULL: made now */
};

struct cert_filled {
    struct buf der;
    char serial_hex[2 * CERT_SERIAL_BYTES + 1];     /* these as cert_info() has them */
    char fingerprint[DIGEST_HEX];
    char *subject;
    time_t not_before, not_after;
};
void cert_filled_free(struct cert_filled *filled);      /* for PS_AUTO; ready for use again */

PS_MUST bool cert_template_fill(const struct cert_template *form, const struct cert_blank *blank,
                                const struct key *public_of, struct cert_filled *out,
                                struct ps_err *err);

#endif
