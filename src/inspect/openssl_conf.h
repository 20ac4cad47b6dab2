/*
 * openssl_conf.h - what OpenSSL's configuration file says to every program that uses TLS.
 *
 * openssl_conf names a section, its ssl_conf another, its system_default the one whose commands every
 * SSL_CTX gets (config(5), SSL_CONF_cmd(3)).  PostgreSQL reads the file (OPENSSL_INIT_LOAD_CONFIG) and
 * then sets over it what its own settings say.  .include is followed, of files and of folders; variables
 * are not expanded, for nobody writes TLS policy in them: a value with "$" is left out.
 */
#ifndef INSPECT_OPENSSL_CONF_H
#define INSPECT_OPENSSL_CONF_H

#include "base/mem.h"
#include "pg/source.h"

#define OPENSSL_CONF_MAX_BYTES (1u << 20)       /* bound of ours for all the files together */

struct openssl_command {
    const char *name, *value;   /* "MinProtocol", "TLSv1.2" */
    const char *file;
    unsigned line;              /* from 1: of the last physical line, where the value ends */
};

/*
 * The commands of the section, in their order, in `arena`; none is no error.  PS_E_NOT_FOUND and what else
 * `source` says of the file itself.
 */
PS_MUST bool openssl_conf_read(const struct pg_source *source, const char *path, struct arena *arena,
                               struct openssl_command **out, size_t *len, struct ps_err *err);

#endif
