/* confirm_internal.h - the parts of confirm.h; for confirm*.c only. */
#ifndef DOCTOR_CONFIRM_INTERNAL_H
#define DOCTOR_CONFIRM_INTERNAL_H

#include "doctor/confirm.h"

/* The verdict with its evidence; what does not fit is cut. */
void look_say(struct doctor_look *look, enum doctor_verdict verdict, const char *fmt, ...) PS_PRINTF(3, 4);

/* What the text says, as a string in `out`; false: it does not. */
bool look_said(const struct doctor_look *look, enum doctor_what what, char *out, size_t size);

/*
 * The file of that role.  NULL, with evidence, when it is not set, missing, unusable or was not
 * examined; the first three confirm that there is something wrong with it.
 */
const struct tls_file *look_file(struct doctor_look *look, enum tls_file_role role);

/* confirm_certs.c: the server's own certificate and key */
void look_cert_dates(struct doctor_look *look);
void look_cert_weak(struct doctor_look *look);
void look_cert_use(struct doctor_look *look);
void look_chain(struct doctor_look *look);
void look_names(struct doctor_look *look);
void look_cert_file(struct doctor_look *look);
void look_pair(struct doctor_look *look);
void look_key_mode(struct doctor_look *look);
void look_key_file(struct doctor_look *look);
void look_key_encrypted(struct doctor_look *look);

/* confirm_clients.c: what it checks the certificates of clients with */
void look_ca_file(struct doctor_look *look);
void look_crl_dates(struct doctor_look *look);
void look_crl_complete(struct doctor_look *look);
void look_crl_file(struct doctor_look *look);

/* confirm_rules.c: settings and pg_hba.conf */
void look_ssl_off(struct doctor_look *look);
void look_protocols(struct doctor_look *look);
void look_setting_known(struct doctor_look *look);
void look_hba_line(struct doctor_look *look);
void look_hba_wants_tls(struct doctor_look *look);
void look_hba_nowhere(struct doctor_look *look);
void look_hba_file(struct doctor_look *look);

#endif
