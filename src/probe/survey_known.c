/*
 * survey_known.c - what need not be asked (see survey_parts.h).
 *
 * Settings of PostgreSQL that cannot be made any other way answer questions that would leave a line in its
 * log.  This holds only where it is PostgreSQL that does the TLS, and not something that stands before it.
 */
#include "probe/survey_parts.h"

/* It binds SCRAM to the very certificate that was seen, or misses one of the client. */
static bool does_own_tls(const struct seen *seen, const struct startup_seen *inside)
{
    return seen->kind == KIND_POSTGRES && (inside->scram_plus || inside->end == STARTUP_CERTIFICATE);
}

/* ssl_ecdh_curve of 17 and before takes one curve (SSL_CTX_set_tmp_ecdh), TLS 1.3 included. */
bool survey_has_one_curve(const struct seen *seen)
{
    return does_own_tls(seen, &seen->over_tls) && seen->major_to > 0 && seen->major_to <= 17
        && seen->groups_len > 0 && !tls_group_is_weak(seen->groups[0]);
}

/* ssl_min_protocol_version and ssl_max_protocol_version make a range: where 1.2 is cut off, so is all below. */
bool survey_is_cut_off(const struct seen *seen)
{
    return does_own_tls(seen, &seen->over_tls) && survey_speaks(seen, TLS_1_3)
        && seen->versions[seen_version_index(TLS_1_2)] == FACT_NO;
}

/* Since 14 with SSL_OP_NO_RENEGOTIATION, which every library has that knows TLS 1.3 (be-secure-openssl.c). */
bool survey_never_renegotiates(const struct seen *seen)
{
    return does_own_tls(seen, &seen->over_tls) && seen->major_from >= 14 && survey_speaks(seen, TLS_1_3);
}

/*
 * ssl_prefer_server_ciphers counts for all versions, and the first handshake offered those of TLS 1.3 the
 * other way round than servers have them: if the last of them was chosen, it was not our order that counted.
 * Since 18 it may be the only one (ssl_tls13_ciphers).
 */
bool survey_has_own_order(const struct seen *seen)
{
    enum { TLS_AES_256_GCM_SHA384 = 0x1302 };

    return does_own_tls(seen, &seen->over_tls) && seen->major_to > 0 && seen->major_to <= 17
        && seen->version == TLS_1_3 && seen->suite == TLS_AES_256_GCM_SHA384;
}

/* ssl_ciphers counts for all versions before 1.3, and those before 1.2 have none but dubious suites. */
bool survey_has_nothing_old(const struct seen *seen)
{
    return does_own_tls(seen, &seen->over_tls) && survey_speaks(seen, TLS_1_2) && seen->asked_broken
        && seen->asked_weak && seen->asked_no_fs && seen->asked_no_aead
        && !seen_has_trait(seen, TRAIT_BROKEN | TRAIT_WEAK | TRAIT_NO_FS | TRAIT_NO_AEAD);
}

/* Since 17, which is the first that takes it, nobody goes on without ALPN (backend_startup.c). */
bool survey_insists_on_alpn(const struct seen *seen)
{
    return does_own_tls(seen, &seen->direct);
}
