/*
 * survey.h - one conversation of questions with one server: few connections, each with its reason.
 *
 * First one whole handshake, and where channel binding is offered behind it the proof who ends TLS (binding.h);
 * then only what this left open.  No password is ever sent, nor the proof of one, no role is ever guessed: the
 * role of a startup is a name that nobody has, and PostgreSQL asks it for a password all the same.
 */
#ifndef PS_SURVEY_H
#define PS_SURVEY_H

#include "facts/seen.h"
#include "probe/shot.h"
#include "tls/ctx.h"

struct survey_plan {
    struct tls_ctx *ctx;            /* of a client that verifies nothing, the worst suites of TLS 1.3
                                       first; borrowed, may be shared */
    struct tls_ctx *ctx12;          /* the same, of at most TLS 1.2, the worst suites first */
    struct tls_ctx *ctx_alpn;       /* the same, which offers the protocol "postgresql" */
    const char *role, *database;    /* of startups; NULL: a random name, "postgres" */
    int connect_ms, answer_ms;      /* time limits of one connection */
    int at_once;                    /* connections to one server, 1 to SHOT_AT_ONCE_MAX */
    unsigned connections_max;       /* of one server; 0: no limit.  Over it nothing more is asked */
    bool certificate_only;          /* one connection: chain and name */
    bool all_ciphers;               /* every suite and group, by elimination */
    unsigned retries;               /* for connections that are lost: shot.h */
    int (*gate)(void *arg);         /* asked before each connection: see struct shot_target */
    void (*located)(void *arg, const char *address);    /* told each address before it is asked; NULL: nobody */
    void *gate_arg;                 /* of both */
};

/* Look at one server.  Always gives a result: what could not be seen is said in it. */
struct seen *survey_run(const struct survey_plan *plan, const char *host, int port);

#endif
