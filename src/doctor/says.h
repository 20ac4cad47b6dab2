/* says.h - how the parts of the table write down their wordings; for entries_*.c only. */
#ifndef DOCTOR_SAYS_H
#define DOCTOR_SAYS_H

#include "doctor/entry.h"

#define SAYS(...) (const struct doctor_pattern[]){ __VA_ARGS__, { .text = NULL } }
#define SPANISH .language = "es"

/* The commands that show most of what goes wrong in a handshake. */
#define SHOW_SERVED "openssl s_client -starttls postgres -connect {host}:{port} -showcerts </dev/null"
#define SHOW_SERVED_CERT "openssl s_client -starttls postgres -connect {host}:{port} </dev/null 2>/dev/null" \
                         " | openssl x509 -noout -subject -issuer -dates -ext subjectAltName,extendedKeyUsage"
#define SHOW_CERT "openssl x509 -in {file} -noout -subject -issuer -dates -ext extendedKeyUsage"
#define SHOW_CRL "openssl crl -in {file} -noout -issuer -lastupdate -nextupdate"

/* What the server writes when a handshake fails. */
#define ACCEPT "could not accept SSL connection: "
#define ACCEPT_ES "no se pudo aceptar una conexión SSL: "

#endif
