/*
 * err.h - an error is a value: what failed, the facts, what to do, and where in the user's file.
 *
 * Library code fills in the struct and returns false; only main() prints it, once.  Every function
 * here returns false, so that a failing function ends in `return ps_fail(err, ...)`.  A finding is
 * not an error: a server without TLS is a result, not reaching it is an error.
 *
 * The texts live inside the struct: nothing to free, nothing that can fail while failing.  What does
 * not fit is cut.  The messages are written as PostgreSQL writes them: lower case, no full stop,
 * "could not" if it may work next time and "cannot" if never; details and hints are sentences.
 * `%m` stands for the text of errno, as in syslog(3).
 */
#ifndef PS_ERR_H
#define PS_ERR_H

#include "base/defs.h"

/* The exit status of the program for each class of error; what a script may rely on. */
enum ps_exit {
    PS_EXIT_OK = 0,             /* done; nothing at or above --fail-on */
    PS_EXIT_FINDINGS = 1,       /* done, and something was found */
    PS_EXIT_USAGE = 2,          /* wrong use of the command line */
    PS_EXIT_NOT_EXAMINED = 3,   /* could not look, or could not do */
    PS_EXIT_UNSAFE = 4,         /* refused: it would hurt */
    PS_EXIT_ROLLED_BACK = 5,    /* tried, failed, and everything is as it was */
    PS_EXIT_BUG = 70            /* our mistake (EX_SOFTWARE of sysexits.h) */
};

enum ps_code {
    PS_E_NONE = 0,
    PS_E_USAGE,         /* the command line */
    PS_E_IO,            /* a file or folder could not be read or written */
    PS_E_NOT_FOUND,     /* what was named does not exist */
    PS_E_EXISTS,        /* what was to be made exists already */
    PS_E_TOO_BIG,       /* over a stated bound */
    PS_E_SYNTAX,        /* a file or message that cannot be parsed; `at` says where */
    PS_E_VALUE,         /* well formed, but not a possible value */
    PS_E_KEY_MODE,      /* a private key that others may read */
    PS_E_CRYPTO,        /* OpenSSL refused */
    PS_E_PASSPHRASE,    /* wrong or missing passphrase */
    PS_E_CERT,          /* a certificate, chain or CRL that does not do its job */
    PS_E_NET,           /* could not connect, or the peer broke off */
    PS_E_TIMEOUT,       /* the time limit passed */
    PS_E_PROTOCOL,      /* the peer does not speak PostgreSQL, or not as it should */
    PS_E_SQL,           /* the server answered a query with an error */
    PS_E_PROCESS,       /* a program that we started failed */
    PS_E_STORE,         /* the store (SQLite) failed */
    PS_E_UNSUPPORTED,   /* this server, version or platform cannot do it */
    PS_E_UNSAFE,        /* refused: somebody would be hurt */
    PS_E_DECLINED,      /* the user said no */
    PS_E_BUSY,          /* another pgseal is at work */
    PS_E_ROLLED_BACK,   /* failed, and all was undone */
    PS_E_BUG            /* cannot happen */
};

struct ps_place {
    char file[256];     /* empty: not about a file of the user's */
    unsigned line;      /* from 1; 0: the whole file */
    unsigned column;    /* from 1, in bytes; 0: the whole line */
};

struct ps_err {
    enum ps_code code;
    char message[512];
    char detail[2048];
    char hint[1024];
    struct ps_place at;
};

/* Start an error, forgetting what was in it; always returns false.  err may not be NULL. */
bool ps_fail(struct ps_err *err, enum ps_code code, const char *fmt, ...) PS_PRINTF(3, 4);

/* Add to an error that was started; always return false. */
bool ps_detail(struct ps_err *err, const char *fmt, ...) PS_PRINTF(2, 3);
bool ps_hint(struct ps_err *err, const char *fmt, ...) PS_PRINTF(2, 3);
bool ps_at(struct ps_err *err, const char *file, unsigned line, unsigned column);

/*
 * Say what we were doing when it failed: the old message moves in front of the detail, the new one
 * stands at the top.  Code, hint and place stay.
 */
bool ps_while(struct ps_err *err, const char *fmt, ...) PS_PRINTF(2, 3);

/* Forget the error: the caller has dealt with it. */
void ps_err_clear(struct ps_err *err);

/* The exit status for a code, and its name for programs ("key_mode"), never translated. */
enum ps_exit ps_code_exit(enum ps_code code);
const char *ps_code_name(enum ps_code code);

#endif
