/*
 * common.h - what the functions of rules share: is there anything to judge, and how is it cured.
 *
 * TLS that is switched off is the finding of tls-off: the rules about its details then have nothing to
 * judge.  What is not known is left as "not examined".
 */
#ifndef PS_RULE_COMMON_H
#define PS_RULE_COMMON_H

#include "rules/rule.h"

/* Is TLS on?  Unknown leaves a "not examined". */
bool rule_tls_on(const struct rule *rule, const struct posture *posture, struct findings *out);

/* The setting, for a major that has it; NULL leaves a "not examined". */
const struct setting_fact *rule_setting(const struct rule *rule, const struct posture *posture,
                                        const char *name, struct findings *out);

/* "ssl_ciphers = HIGH:MEDIUM", for evidence. */
const char *rule_says(struct findings *out, const struct setting_fact *fact);

/*
 * Put the cure of a setting into the finding: the line that should stand there, ALTER SYSTEM where
 * no file is to be edited, or a sentence where the command line decides.
 */
void rule_cure_setting(const struct posture *posture, const struct setting_fact *fact, const char *value,
                       struct findings *out, struct finding *finding);

/* The data directory for a command to be pasted; "DATADIR" where it is not known. */
const char *rule_data_dir(const struct posture *posture);

/* "pgseal rotate -D '/var/lib/...'" and the like: a command of ours about this server. */
void rule_cure_pgseal(const struct posture *posture, const char *command, struct findings *out,
                      struct finding *finding);

/* TLS where there is none, and with it a certificate for the name by which the server is known. */
void rule_cure_tls(const struct posture *posture, struct findings *out, struct finding *finding);

/* A new certificate, from the CA that there is: by what of ours makes one, where PostgreSQL itself has it. */
void rule_cure_certificate(const struct posture *posture, const struct cert *leaf, struct findings *out,
                           struct finding *finding);
/* Nobody but itself signed it: then there is no CA that could sign the next one. */
bool rule_signs_itself(const struct cert *cert);

/* A path for a shell. */
const char *rule_shell_word(struct findings *out, const char *path);

/* A date, for people and programs alike. */
const char *rule_date(struct findings *out, time_t when);

/* The whole file as a place. */
struct place rule_file_place(const struct tls_file *file);

/* ---- the certificates that this server shows ---- */

struct rule_chain {
    const struct cert_list *certs;      /* leaf first, at least one */
    struct place place;
    const char *where;                  /* the file, or host:port */
};
#define RULE_CHAINS_MAX 100

/* As many as there are, at most RULE_CHAINS_MAX; 0 leaves a "not examined". */
size_t rule_chains(const struct rule *rule, const struct posture *posture, struct findings *out,
                   struct rule_chain chains[RULE_CHAINS_MAX]);

/* Does any line of pg_hba.conf ask for a client certificate?  FACT_UNKNOWN: it was not seen. */
enum fact_bool rule_wants_client_certs(const struct posture *posture);

/* The rank of a protocol version: "TLSv1.2" is 12; 0 for "" or what is none. */
int rule_protocol(const char *name);

#endif
