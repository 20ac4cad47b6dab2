/*
 * fuzz_roles.c - promises: a list that is read has roles that PostgreSQL keeps whole, no two alike and
 * with days that can be; what is refused has a reason and leaves nothing.
 */
#include "kit/kit.h"
#include "kit/roles.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PS_AUTO(roles_free) struct roles roles = { 0 };
    struct ps_err err = { 0 };

    if (!roles_parse((const char *)data, size, "fuzz", KEY_EC_P256, &roles, &err)) {
        if (roles.len || err.code == PS_E_NONE || !err.message[0])
            abort();
        return 0;
    }
    for (size_t i = 0; i < roles.len; i++)
        if (!*roles.at[i].role || strlen(roles.at[i].role) > KIT_ROLE_MAX || roles.at[i].days < 0
            || roles.at[i].line == 0)
            abort();
    return 0;
}
