/*
 * settings.h - the settings that matter to TLS: since when, until when, default, reload or restart.
 *
 * One table for all versions from 9.6 to 19.  Source: guc_tables.c of each version and what the
 * servers said (postgres --describe-config); manual, "SSL" in "Connections and Authentication".
 */
#ifndef PS_SETTINGS_H
#define PS_SETTINGS_H

#include "base/defs.h"

#define PG_MAJOR_MIN 10     /* below 10 TLS cannot be switched on by a reload: 9.6 is only examined */
#define PG_MAJOR_MAX 19

struct pg_default {
    unsigned since;             /* first major with this default */
    const char *value;
};

/*
 * Majors are numbers such as 17; 9 stands for 9.6 and before.  The defaults are those built in (boot_val of
 * pg_settings), of servers with OpenSSL: what initdb or a packager writes into postgresql.conf is
 * found there.  Packagers may change unix_socket_directories too.
 */
struct pg_setting {
    const char *name;
    unsigned since, until;      /* first and last major that knows it; until 0: still there */
    unsigned reload_since;      /* first major in which a reload is enough; 0: none */
    struct pg_default defaults[3];      /* oldest first */
    const char *became;         /* its name behind `until`; the server still takes the old one */
    const char *what;           /* one line, N_() */
};

const struct pg_setting *pg_setting_find(const char *name);     /* any case; NULL: not of ours */
size_t pg_settings_count(void);
const struct pg_setting *pg_setting_at(size_t i);

/* False for names that are not of ours, too. */
bool pg_setting_known(const char *name, unsigned major);
/* Is a reload enough?  False: a restart, or it cannot be set at all. */
bool pg_setting_reloads(const char *name, unsigned major);
/* The default in that major, such as "TLSv1" for ssl_min_protocol_version in 12; NULL: not known. */
const char *pg_setting_default(const char *name, unsigned major);
/*
 * The name that this major uses for what a file calls `name`: 18 takes ssl_ecdh_curve for ssl_groups
 * (guc.c, map_old_guc_names), so the one overrides the other.  `name` itself when it knows no better.
 */
const char *pg_setting_name(const char *name, unsigned major);

/*
 * The word that makes a rule ask for a client certificate in that major: for full, the name must
 * match the role.  NULL when that version has no word for it (verify-full before 12: older servers take
 * the word and silently switch the check off).
 */
const char *pg_clientcert_word(unsigned major, bool full);

#endif
