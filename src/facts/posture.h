/*
 * posture.h - all that is known of one server's TLS, from whatever source, with the origin of each fact.
 *
 * Made by inspect/ (a data directory, a folder of copies, SQL) and by the prober; read by the rules.  A
 * part that a source cannot see is NULL (or FACT_UNKNOWN, or has `why`), never guessed: absent is not
 * false.  Everything lives in the arena or is owned by the posture, but what is said to be borrowed.
 */
#ifndef PS_POSTURE_H
#define PS_POSTURE_H

#include <time.h>

#include "facts/finding.h"
#include "facts/server.h"
#include "pg/hosts.h"
#include "pg/ident.h"
#include "tls/cert.h"
#include "tls/crl.h"
#include "tls/key.h"

enum posture_source {
    POSTURE_DATA_DIR,           /* -D: files, binaries, processes of this machine */
    POSTURE_FILES,              /* --files: copies; owners, modes and processes say nothing */
    POSTURE_SQL,                /* --target: what one role may see */
    POSTURE_NETWORK,            /* a stranger's view */
    POSTURE_PACKETS             /* connections of other people, on the wire */
};

/* ---- settings ---- */

struct setting_fact {           /* one setting as it counts */
    const char *name;           /* as this major calls it */
    const char *value;          /* what is, or at the next reload will be, in force; never NULL */
    const char *origin;         /* "default", "configuration file", "command line", "environment", ... as
                                   pg_settings.source */
    struct place place;         /* file NULL: from no file, or not shown */
    const struct setting_fact *loser;   /* the next earlier assignment that it beats, or NULL */
    bool pending_restart;       /* by SQL: a file says something else, and only a restart takes it */
};

/* ---- the files that settings name ---- */

enum tls_file_role { FILE_CERT, FILE_KEY, FILE_CA, FILE_CRL, FILE_CRL_DIR, FILE_DH, FILE_ROLES };
extern const char *const tls_file_settings[FILE_ROLES];     /* "ssl_cert_file", ... */

struct tls_file {
    enum tls_file_role role;
    const char *setting;        /* "ssl_cert_file"; "hosts_file" for one of pg_hosts.conf */
    struct place named;         /* where it is named */
    const char *path;           /* absolute where that is known */
    const char *why;            /* translated: not examined, because; NULL: it was */
    bool missing;               /* it does not exist (then `why` is NULL) */
    const char *fault;          /* translated: it is there, and the server cannot use it, or never
                                   finds it; NULL: it can.  A key's owner and mode are not judged here */
    bool stat_known;            /* the next three count; not for copies, not by SQL */
    mode_t mode;
    uid_t uid;
    gid_t gid;
    time_t modified;            /* 0: not known */
    struct cert_list certs;     /* of FILE_CERT (leaf first as in the file) and FILE_CA */
    struct crl_list crls;       /* of FILE_CRL and FILE_CRL_DIR */
    bool encrypted;             /* of a key */
    const char *key_text;       /* "EC P-256", "RSA 2048"; NULL: could not be read */
    int key_bits;
    enum fact_bool fits;        /* of a key: it belongs to the first certificate */
};

/* ---- what SQL adds ---- */

struct role_fact {
    const char *name;
    bool superuser, replication, login;
    const char *secret;         /* "scram-sha-256", "md5", "none"; NULL: not shown to us */
    const char *const *member_of;       /* itself included, all levels, NULL at the end */
};

struct upstream_fact {          /* a connection that this server itself makes */
    const char *kind;           /* "primary_conninfo", "subscription", "foreign server", "dblink" */
    const char *name;           /* of the subscription or the foreign server; "" otherwise */
    const char *conninfo;       /* without passwords */
    struct place place;
};

struct interface_fact {         /* of this machine: what samenet and samehost mean */
    const char *name;
    int family;
    unsigned char addr[16], mask[16];
};

/* ---- what the wire adds ---- */

struct wire_fact {
    const char *host;           /* as it was asked for */
    int port;
    struct cert_list served;    /* as sent, leaf first */
    enum fact_bool tls;         /* S or N */
    const char *version, *cipher;       /* of a handshake without restrictions */
};

/* ---- what packets show ---- */

struct traffic_fact {           /* the connections of one kind to one server */
    const char *server;         /* "10.0.0.1:5432" */
    const char *verdict;        /* "plaintext", as `pgseal capture` has it */
    const char *reason;         /* why it is readable, in its words: "behind-handshake"; NULL: it began so */
    const char *version, *suite;        /* of TLS; NULL: none, or no handshake */
    uint16_t cipher;            /* the suite's number */
    bool loopback;              /* they never left the machine */
    const char *who;            /* translated: roles and networks, the first few; NULL: none */
    uint64_t connections;
    uint64_t passwords, tokens, md5;    /* of these: readable passwords, OAuth tokens, MD5 hashes */
    uint64_t replication;       /* of these */
    uint64_t refused;           /* of these: the server let nobody in */
};

/* ---- what lies around the server ---- */

struct openssl_fact {           /* what OpenSSL's own configuration says to every program, the server too */
    const char *name;           /* "MinProtocol", "CipherString", ... as SSL_CONF_cmd(3) has it */
    const char *value;
    struct place place;
};

struct stray_key {              /* a private key beside the one that is in use */
    const char *path;
    mode_t mode;
    uid_t uid;
    bool of_server;             /* it is the server's own key, copied */
    const char *ca;             /* the subject of the CA of ssl_ca_file that it belongs to; NULL: of none */
};

struct seen;

struct posture {
    struct arena *arena;
    enum posture_source source;
    const char *name;           /* what people call it: the data directory, host:port */
    time_t now;
    unsigned major;             /* 0: not known */
    const char *version;        /* "15.18"; NULL: not known */
    const char *openssl;        /* "OpenSSL 3.0.19 ..." of the server; NULL: not known */

    struct server *server;      /* owned; NULL when only SQL or the network was asked */
    const struct conf *conf;    /* these three are the server's own, or read by SQL; NULL: not seen, and then */
    const struct hba *hba;
    const struct ident *ident;
    const struct hosts *hosts;  /* certificates by host name (19), which are among the files; NULL: ssl_sni is
                                   off, or they were not seen (then hosts_why) */
    const char *hosts_why;
    const char *conf_why, *hba_why, *ident_why;     /* say why, translated; beside one that was seen: what of
                                   it was not */
    const char *refused;        /* of POSTURE_FILES: why a copy that is there could not be examined, translated;
                                   NULL: all could */
    const struct place *conf_problem_places;    /* of conf_problem(conf, i), with the texts of their lines */
    time_t started, changed;    /* of a server that runs here: its start, and the newest change of a file that
                                   a reload would read; 0: not known */
    time_t loaded;              /* by SQL: when the server last read its files; 0: not known */

    const struct setting_fact *settings;
    size_t settings_len;
    const struct tls_file *files;
    size_t files_len;
    const struct role_fact *roles;      /* NULL: not seen */
    size_t roles_len;
    const char *roles_why;
    const char *const *databases;       /* NULL: not seen; NULL at the end */
    const struct upstream_fact *upstreams;
    size_t upstreams_len;
    const char *upstreams_why;
    const struct interface_fact *interfaces;    /* NULL: not seen */
    size_t interfaces_len;
    const struct wire_fact *wire;       /* NULL: not seen */
    const struct traffic_fact *traffic; /* of POSTURE_PACKETS */
    size_t traffic_len;
    uint64_t packets_lost;              /* dropped before they could be read, or over a bound */
    const char *wire_why;               /* then, translated; NULL: nobody asked */
    const struct seen *seen;            /* by a survey from outside (seen.h); borrowed; NULL: none was made */
    const struct openssl_fact *openssl_conf;
    size_t openssl_conf_len;
    const char *openssl_conf_why;       /* it was not seen; NULL: it was, be it empty */
    const struct stray_key *strays;     /* encrypted ones are not among them: nobody can tell whose they are */
    size_t strays_len;
    const char *strays_why;             /* not looked for; NULL: they were */

    const struct cert_list *trust;      /* --trust; NULL: not given */
    const struct cert_list *around;     /* CAs that other servers of the same scan sent; NULL: none */
    const struct crl_list *crls;        /* --crl; NULL: not given */
    bool critical;                      /* --profile critical: some rules are stricter */
    void *owned;                        /* the maker's */
    void (*release)(struct posture *posture);   /* frees what is not in the arena, by the maker */
};

void posture_free(struct posture *posture);
PS_DEFINE_FREEP(struct posture, posture_free)

/* The setting as it counts, by any of its names; NULL: not known from this source. */
const struct setting_fact *posture_setting(const struct posture *posture, const char *name);
const char *posture_value(const struct posture *posture, const char *name);     /* or NULL */
/* A boolean setting. */
enum fact_bool posture_on(const struct posture *posture, const char *name);
/* The first file of that role that postgresql.conf names; NULL: none is set, or not known. */
const struct tls_file *posture_file(const struct posture *posture, enum tls_file_role role);

/* The place of an assignment, whether it wins or not. */
struct place posture_conf_place(const struct posture *posture, const struct conf_setting *set);

/* The place of a rule or of an offset in its file, its line's text included, in the posture's arena. */
struct place posture_hba_place(const struct posture *posture, const struct hba_rule *rule,
                               size_t begin, size_t end);

#endif
