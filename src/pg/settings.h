/*
 * settings.h - the settings that matter to TLS: since when, until when, default, reload or restart.
 *
 * One table for all versions from 9.6 to 19.  Source: guc_tables.c of each version and what the
 * servers said (postgres --describe-config); manual, "SSL" in "Connections and Authentication".
 */
#ifndef PS_SETTINGS_H
#define PS_SETTINGS_H

#include "base/defs.h"

#define PG_MAJOR_MIN 10     /* below 10 TLS cannot be switched on by a reload */
#define PG_MAJOR_MAX 19

/* Majors as numbers such as 17; 9.6 is 9. */
struct pg_setting {
    const char *name;
    unsigned since, until;      /* first and last major that knows it; until 0: still there */
    unsigned reload_since;      /* first major in which a reload is enough; 0: never, 1: always */
    const char *since_default;  /* its default in the newest major; see setting_default() */
    const char *what;           /* one line, N_() */
};

const struct pg_setting *pg_setting_find(const char *name);     /* any case; NULL: not of ours */
size_t pg_settings_count(void);
const struct pg_setting *pg_setting_at(size_t i);
bool pg_setting_known(const char *name, unsigned major);
/* The boot default in that major, such as "TLSv1" for ssl_min_protocol_version in 12. */
const char *pg_setting_default(const char *name, unsigned major);

/*
 * The word that makes a rule ask for a client certificate in that major: for full, the name must
 * match the role.  NULL when that version has no word for it (verify-full before 12: older servers take
 * the word and silently switch the check off).
 */
const char *pg_clientcert_word(unsigned major, bool full);

#endif
