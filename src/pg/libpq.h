/*
 * libpq.h - libpq, loaded when a command first has something to ask it.
 *
 * It brings twenty libraries with it (Kerberos, LDAP, GnuTLS), which cost every start 3 ms, and most commands
 * never connect as a client does.  So the program is not linked with it: pq_load() finds it, and its functions
 * are members of `pq`, of the types that libpq-fe.h gives them: PQexec(conn, sql) is pq.exec(conn, sql).
 * Whoever makes a package has to name libpq among what pgseal needs; no tool sees it in the program.
 */
#ifndef PG_LIBPQ_H
#define PG_LIBPQ_H

#include <libpq-fe.h>

#include "base/err.h"

/* Every one that is called somewhere, without the PQ of its name; none is younger than PostgreSQL 14. */
#define PQ_FUNCTIONS(F)                                                                                  \
    F(clear) F(cmdStatus) F(conndefaults) F(connectPoll) F(connectStartParams) F(connectdb)              \
    F(connectdbParams) F(connectionNeedsPassword) F(conninfoFree) F(conninfoParse) F(db)                 \
    F(defaultSSLKeyPassHook_OpenSSL) F(enterPipelineMode) F(errorMessage) F(exec) F(execParams)          \
    F(exitPipelineMode) F(finish) F(fnumber) F(freemem) F(ftype) F(getResult) F(getisnull) F(getlength)  \
    F(getvalue) F(host) F(hostaddr) F(nfields) F(ntuples) F(parameterStatus) F(pipelineSync) F(port)     \
    F(prepare) F(reset) F(resultErrorField) F(resultStatus) F(sendQueryParams) F(sendQueryPrepared)      \
    F(serverVersion) F(setErrorVerbosity) F(setNoticeReceiver) F(setSSLKeyPassHook_OpenSSL)              \
    F(setSingleRowMode) F(socket) F(sslAttribute) F(sslInUse) F(sslStruct) F(status) F(user)

struct pq {
#define PQ_MEMBER(name) __typeof__(PQ##name) *name;
    PQ_FUNCTIONS(PQ_MEMBER)
#undef PQ_MEMBER
};

extern struct pq pq;            /* NULL, all of them, until it is loaded */

/*
 * Before the first use; where it is loaded already nothing happens.  Not in a sandbox, nor by two threads at
 * once.  Fails with PS_E_NOT_FOUND, or PS_E_UNSUPPORTED when it is too old.
 */
PS_MUST bool pq_load(struct ps_err *err);

#endif
