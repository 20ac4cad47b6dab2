/*
 * der.h - DER (X.690) written straight into bytes, where libcrypto's own encoders are the bottleneck.
 *
 * DER writes a length before what it measures: the caller adds sizes up first and then writes forward.
 * What does not fit is the buffer's `over`, which its owner checks once.
 */
#ifndef PS_DER_H
#define PS_DER_H

#include "base/buf.h"

enum {
    DER_INTEGER = 0x02, DER_BIT_STRING = 0x03, DER_OCTET_STRING = 0x04, DER_OID = 0x06,
    DER_ENUMERATED = 0x0a, DER_UTF8 = 0x0c, DER_SEQUENCE = 0x30, DER_SET = 0x31,
    DER_CONTEXT_0 = 0xa0, DER_CONTEXT_3 = 0xa3
};

size_t der_size(size_t len);        /* of a value of `len` bytes, with its tag and length */
void der_head(struct buf *out, uint8_t tag, size_t len);
void der_value(struct buf *out, uint8_t tag, const void *bytes, size_t len);

/* A positive INTEGER from its bytes, the highest first: leading zeros go, one comes back if needed. */
void der_positive(struct buf *out, const void *bytes, size_t len);
size_t der_positive_size(const void *bytes, size_t len);

/* Time as RFC 5280 4.1.2.5 wants it: UTCTime until 2049, then GeneralizedTime.  Years 1950 to 9999. */
enum { DER_TIME_MAX = 17 };
void der_time(struct buf *out, time_t when);
size_t der_time_size(time_t when);

/* A PEM block (RFC 7468) of `label`, such as "CERTIFICATE". */
void der_to_pem(struct buf *out, const char *label, const void *der, size_t len);

#endif
