/*
 * survey_known.c - what need not be asked (see survey_parts.h).
 *
 * Settings of PostgreSQL that cannot be made any other way answer questions that would leave a line in its
 * log.  This holds only where it is PostgreSQL that does the TLS, and not something that stands before it.
 */
#include "probe/survey_parts.h"

/* It misses a certificate of the client, and the handshake asked for one: who else would have, to keep it? */
static bool misses_what_was_asked_for(const struct seen *seen)
{
    return seen->bound == FACT_UNKNOWN && seen->over_tls.end == STARTUP_CERTIFICATE
        && seen->asks_certificate == FACT_YES;
}

/*
 * Proven: it knows the certificate that was seen for its own (binding.h).  The other case is assumed, and said.
 * Neither, if there are sessions that PostgreSQL has not: before TLS 1.3 any, with it tickets that hold one and
 * not its number alone (SSL_OP_NO_TICKET in be-secure-openssl.c).
 */
static bool does_own_tls(const struct seen *seen)
{
    return seen->kind == KIND_POSTGRES && !seen->resumes
        && (seen->bound == FACT_YES || misses_what_was_asked_for(seen));
}

static bool spare(struct seen *seen, bool known)
{
    if (known && seen->bound != FACT_YES)
        seen->assumed = true;
    return known;
}

/* ssl_ecdh_curve of 17 and before takes one curve (SSL_CTX_set_tmp_ecdh), TLS 1.3 included. */
bool survey_has_one_curve(struct seen *seen)
{
    return spare(seen, does_own_tls(seen) && seen->major_to > 0 && seen->major_to <= 17 && seen->groups_len > 0
                           && !tls_group_is_weak(seen->groups[0]));
}

/* ssl_min_protocol_version and ssl_max_protocol_version make a range: where 1.2 is cut off, so is all below. */
bool survey_is_cut_off(struct seen *seen)
{
    return spare(seen, does_own_tls(seen) && survey_speaks(seen, TLS_1_3)
                           && seen->versions[seen_version_index(TLS_1_2)] == FACT_NO);
}

/* As OpenSSL does; RFC 5246 E.1 (ssl_choose_server_version). */
bool survey_reads_all_hellos(struct seen *seen)
{
    return spare(seen, does_own_tls(seen));
}

/* Since 14 with SSL_OP_NO_RENEGOTIATION, which every library has that knows TLS 1.3 (be-secure-openssl.c). */
bool survey_never_renegotiates(struct seen *seen)
{
    return spare(seen, does_own_tls(seen) && seen->major_from >= 14 && survey_speaks(seen, TLS_1_3));
}

/* OpenSSL 1.1.1, the first with TLS 1.3, compresses only for who takes SSL_OP_NO_COMPRESSION back; nobody does. */
bool survey_never_compresses(struct seen *seen)
{
    return spare(seen, does_own_tls(seen) && survey_speaks(seen, TLS_1_3));
}

/*
 * ssl_prefer_server_ciphers counts for all versions, and the first handshake offered those of TLS 1.3 the
 * other way round than servers have them: if the last of them was chosen, it was not our order that counted.
 * Since 18 it may be the only one (ssl_tls13_ciphers).
 */
bool survey_has_own_order(struct seen *seen)
{
    enum { TLS_AES_256_GCM_SHA384 = 0x1302 };

    return spare(seen, does_own_tls(seen) && seen->major_to > 0 && seen->major_to <= 17
                           && seen->version == TLS_1_3 && seen->suite == TLS_AES_256_GCM_SHA384);
}

/* ssl_ciphers counts for all versions before 1.3. */
bool survey_has_one_list(struct seen *seen)
{
    return spare(seen, does_own_tls(seen));
}

/* Likewise, and those before 1.2 have none but dubious suites. */
bool survey_has_nothing_old(struct seen *seen)
{
    return spare(seen, does_own_tls(seen) && survey_speaks(seen, TLS_1_2) && seen->asked_broken
                           && seen->asked_weak && seen->asked_no_fs && seen->asked_no_aead
                           && !seen_has_trait(seen, TRAIT_BROKEN | TRAIT_WEAK | TRAIT_NO_FS | TRAIT_NO_AEAD));
}

/*
 * CVE-2021-23214 was mended before 15 came out.  15 and 16 are told from 14 by a line of their source alone, which
 * is not much to go by where it would be somebody else's 14: they are asked.
 */
bool survey_forgets_what_comes_early(struct seen *seen)
{
    return spare(seen, does_own_tls(seen) && seen->major_from >= 17 && seen->direct_tls == FACT_YES);
}

/* 17 is the first that takes TLS at once. */
bool survey_has_no_direct_tls(struct seen *seen)
{
    return spare(seen, does_own_tls(seen) && seen->major_to > 0 && seen->major_to <= 16);
}

/*
 * From then on nobody goes on without ALPN (backend_startup.c).  What proves who ends TLS behind a request for it
 * proves nothing here: it is asked, unless all is assumed.
 */
bool survey_insists_on_alpn(struct seen *seen)
{
    return spare(seen, misses_what_was_asked_for(seen) && does_own_tls(seen)
                           && seen->direct.kind == KIND_POSTGRES && seen->direct.end == STARTUP_CERTIFICATE);
}

/* Nothing that speaks in its place could answer so; what a request too many is answered would say no more. */
bool survey_is_told_by_its_proof(const struct seen *seen)
{
    return seen->bound == FACT_YES && seen->major_from > 0
        && (seen->major_from == seen->major_to || seen->major_to == 0);
}
