/* seen.c - see seen.h. */
#include "facts/seen.h"

#include <stdlib.h>

const uint16_t seen_versions[SEEN_VERSIONS] = { TLS_SSL3, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 };

bool startup_is_open(const struct startup_seen *startup)
{
    return startup->end == STARTUP_ASKED || startup->end == STARTUP_IN
        || startup->end == STARTUP_CERTIFICATE || startup->end == STARTUP_HEARD
        || startup->end == STARTUP_FAILED;
}

void seen_free(struct seen *seen)
{
    cert_list_free(&seen->chain);
    arena_free(seen->arena);
    free(seen);
}

bool startup_is_answered(const struct startup_seen *startup)
{
    return startup->end != STARTUP_UNKNOWN && (startup->end != STARTUP_ERROR || startup->sqlstate);
}

enum fact_bool seen_plaintext(const struct seen *seen)
{
    if (seen->reach != REACH_YES)
        return FACT_UNKNOWN;
    if (startup_is_open(&seen->plain) || startup_is_open(&seen->plain_replication))
        return FACT_YES;
    if (seen->plain.end == STARTUP_TLS_DEMANDED)
        return FACT_NO;
    return seen->plain.end == STARTUP_REFUSED && startup_is_open(&seen->over_tls) ? FACT_NO
                                                                                 : FACT_UNKNOWN;
}

int seen_version_index(uint16_t version)
{
    for (int i = 0; i < SEEN_VERSIONS; i++)
        if (seen_versions[i] == version)
            return i;
    return -1;
}

void seen_add_suite(struct seen *seen, uint16_t version, uint16_t suite)
{
    for (size_t i = 0; i < seen->suites_len; i++)
        if (seen->suites[i].suite == suite && seen->suites[i].version == version)
            return;
    if (seen->suites_len < SEEN_SUITES_MAX)
        seen->suites[seen->suites_len++] = (struct seen_suite){ version, suite };
}

void seen_add_group(struct seen *seen, uint16_t group)
{
    for (size_t i = 0; i < seen->groups_len; i++)
        if (seen->groups[i] == group)
            return;
    if (group && seen->groups_len < SEEN_GROUPS_MAX)
        seen->groups[seen->groups_len++] = group;
}

bool seen_has_scheme(const struct seen *seen, uint16_t version, uint16_t scheme)
{
    for (size_t i = 0; i < seen->schemes_len; i++)
        if (seen->schemes[i].scheme == scheme && seen->schemes[i].version == version)
            return true;
    return false;
}

void seen_add_scheme(struct seen *seen, uint16_t version, uint16_t scheme)
{
    if (scheme && seen->schemes_len < SEEN_SCHEMES_MAX && !seen_has_scheme(seen, version, scheme))
        seen->schemes[seen->schemes_len++] = (struct seen_scheme){ version, scheme };
}

bool seen_has_trait(const struct seen *seen, unsigned traits)
{
    for (size_t i = 0; i < seen->suites_len; i++)
        if (suite_traits_of(seen->suites[i].suite) & traits)
            return true;
    return false;
}
