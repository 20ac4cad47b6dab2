/*
 * settings.h - the server's settings that we write: one file of ours, included once, at the end.
 *
 * The file is pgseal.conf beside postgresql.conf.  It is named by include_if_exists: should somebody
 * delete it, the server still starts (and hostssl rules then let nobody in).
 */
#ifndef PS_SECURE_SETTINGS_H
#define PS_SECURE_SETTINGS_H

#include "doc/doc.h"
#include "facts/server.h"
#include "secure/plan.h"

enum profile { PROFILE_NORMAL, PROFILE_CRITICAL };
PS_MUST bool profile_parse(const char *word, enum profile *out, struct ps_err *err);
const char *profile_name(enum profile profile);

struct tls_settings {           /* file names as the server will see them; NULL: not set */
    const char *cert_file, *key_file, *ca_file, *crl_file;
    enum profile profile;
    const char *min_protocol, *max_protocol;    /* "TLSv1.2"; max NULL: no bound */
};

/* "1.2" or "TLSv1.2" to "TLSv1.2"; PS_E_USAGE otherwise. */
PS_MUST bool tls_protocol_parse(const char *word, const char **out, struct ps_err *err);

/* The text of pgseal.conf for this server's version. */
void settings_write(const struct tls_settings *settings, const struct server *server,
                    struct buf *out);

/* Plan pgseal.conf, and the line that includes it at the end of postgresql.conf. */
PS_MUST bool settings_plan(const struct tls_settings *settings, const struct server *server,
                           struct plan *plan, struct ps_err *err);

/* The names and values that pgseal.conf sets, for the check after the reload; NULL name at the end. */
struct setting_pair {
    const char *name, *value, *why;     /* why: N_(), the layer that it belongs to */
};
enum { SETTINGS_MAX = 16 };
size_t settings_list(const struct tls_settings *settings, unsigned major,
                     struct setting_pair out[SETTINGS_MAX]);

/*
 * Plan pgseal.conf with these values in place of those that it has; everything else in it stays as it
 * is.  A setting that it lacks is added at the end.
 */
PS_MUST bool settings_switch_plan(const struct setting_pair *pairs, size_t len,
                                  const struct server *server, struct plan *plan,
                                  struct ps_err *err);

/* The same for a server that may not have the file yet: it is made, and included. */
PS_MUST bool settings_mend_plan(const struct setting_pair *pairs, size_t len,
                                const struct server *server, struct plan *plan, struct ps_err *err);

/* The value that a setting has from pgseal.conf, if that is the one in force; NULL otherwise. */
const char *settings_ours(const struct server *server, const char *name);

/*
 * What would override our settings: the command line, postgresql.auto.conf.  PS_E_UNSAFE names every
 * one of them with the way to remove it; one that says the same as we is fine.
 */
PS_MUST bool settings_check_overrides(const struct setting_pair *pairs, size_t len,
                                      const struct server *server, struct ps_err *err);

/* The path of our file. */
char *settings_file(const struct server *server);

/* What this version lets be set and what not, in plain words. */
void settings_describe(const struct tls_settings *settings, const struct server *server,
                       struct doc_node *section);

#endif
