/* libpq.c - see libpq.h. */
#include "pg/libpq.h"

#include <dlfcn.h>
#include <string.h>

struct pq pq;

static const struct { const char *name; size_t at; } functions[] = {
#define PQ_ROW(name) { "PQ" #name, offsetof(struct pq, name) },
    PQ_FUNCTIONS(PQ_ROW)
#undef PQ_ROW
};

static bool find_functions(void *library, struct pq *out, struct ps_err *err)
{
    for (size_t i = 0; i < PS_COUNT(functions); i++) {
        void *found = dlsym(library, functions[i].name);

        if (!found) {
            ps_fail(err, PS_E_UNSUPPORTED, _("libpq, the library that connects to PostgreSQL, is too old"));
            return ps_detail(err, _("It has no %s."), functions[i].name);
        }
        /* C has no conversion from an object's address to a function's; POSIX gives both one form */
        memcpy((char *)out + functions[i].at, &found, sizeof(found));
    }
    return true;
}

bool pq_load(struct ps_err *err)
{
    struct pq found;
    void *library;

    if (pq.exec)
        return true;
    library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);     /* never closed: OpenSSL calls it at the end */
    if (!library) {
        ps_fail(err, PS_E_NOT_FOUND, _("could not load libpq, the library that connects to PostgreSQL"));
        ps_detail(err, "%s", dlerror());
        return ps_hint(err, _("Install it: the package is libpq5 in Debian and Ubuntu, libpq in others."));
    }
    if (!find_functions(library, &found, err))
        return false;
    pq = found;
    return true;
}
