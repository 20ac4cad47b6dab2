/*
 * inf.h - the request of a server certificate as an INF file, for certreq on Windows.
 *
 * Source: Microsoft, "certreq", the sections NewRequest and Extensions; a quote within a value is
 * doubled.
 */
#ifndef PS_CA_INF_H
#define PS_CA_INF_H

#include "base/buf.h"
#include "base/err.h"
#include "tls/cert.h"

/*
 * What `spec` asks for, with a key of `type` that Windows makes and that can be exported, in CRLF
 * lines.  PS_E_VALUE for a subject that is not ASCII (certreq reads the file in the machine's code page)
 * or has a control character.
 */
PS_MUST bool inf_write(const struct cert_spec *spec, enum key_type type, struct buf *out,
                       struct ps_err *err);

#endif
