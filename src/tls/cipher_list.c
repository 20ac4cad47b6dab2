/* cipher_list.c - see cipher_list.h. */
#include "tls/cipher_list.h"

#include <strings.h>

#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include "tls/internal.h"

void suites_free(struct suites *suites)
{
    free(suites->at);
    *suites = (struct suites){ 0 };
}

/* ---- what one suite is ---- */

static bool is_one_of(int nid, const int *nids, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (nid == nids[i])
            return true;
    return false;
}

static unsigned flaws_of(const SSL_CIPHER *cipher)
{
    static const int weak[] = { NID_rc4, NID_des_cbc, NID_des_ede3_cbc, NID_rc2_cbc, NID_idea_cbc,
                                NID_seed_cbc };
    static const int ephemeral[] = { NID_kx_ecdhe, NID_kx_dhe, NID_kx_any };
    int enc = SSL_CIPHER_get_cipher_nid(cipher), kx = SSL_CIPHER_get_kx_nid(cipher);
    int bits = SSL_CIPHER_get_bits(cipher, NULL);
    unsigned flaws = 0;

    if (enc == NID_undef || bits == 0)
        flaws |= SUITE_NULL;
    if (SSL_CIPHER_get_auth_nid(cipher) == NID_auth_null)
        flaws |= SUITE_ANON;
    if ((bits > 0 && bits < 128) || is_one_of(enc, weak, PS_COUNT(weak))
        || SSL_CIPHER_get_digest_nid(cipher) == NID_md5)
        flaws |= SUITE_WEAK;
    if (!is_one_of(kx, ephemeral, PS_COUNT(ephemeral)))
        flaws |= SUITE_NO_FS;
    if (!SSL_CIPHER_is_aead(cipher))
        flaws |= SUITE_CBC;
    return flaws;
}

static bool is_usable(const SSL_CIPHER *cipher)
{
    static const int without[] = { NID_kx_psk, NID_kx_rsa_psk, NID_kx_ecdhe_psk, NID_kx_dhe_psk,
                                   NID_kx_srp };

    return strcmp(SSL_CIPHER_get_version(cipher), "TLSv1.3") != 0
        && !is_one_of(SSL_CIPHER_get_kx_nid(cipher), without, PS_COUNT(without));
}

static int security_level(const char *list)
{
    static const char mark[] = "@SECLEVEL=";
    const char *at = strcasestr(list, mark);

    return at && at[sizeof(mark) - 1] >= '0' && at[sizeof(mark) - 1] <= '5'
        ? at[sizeof(mark) - 1] - '0' : -1;
}

bool suites_expand(const char *list, struct suites *out, struct ps_err *err)
{
    PS_AUTO(SSL_CTX_freep) SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    ERR_clear_error();
    if (!ctx)
        return tls_fail(err, PS_E_CRYPTO, _("could not expand a list of cipher suites"));
    if (!SSL_CTX_set_cipher_list(ctx, list))
        return tls_fail(err, PS_E_VALUE, _("OpenSSL finds no cipher suite in \"%s\""), list);

    const STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(ctx);
    for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(all, i);

        if (is_usable(cipher))
            PS_PUSH(out->at, out->len, out->cap) = (struct suite){
                SSL_CIPHER_get_name(cipher), SSL_CIPHER_get_bits(cipher, NULL), flaws_of(cipher) };
    }
    out->security_level = security_level(list);
    ERR_clear_error();
    return true;
}

/* ---- words ---- */

/* ciphers(1): words that bring suites in which no OpenSSL should have any more. */
static const struct {
    const char *word;
    enum suite_flaw flaw;
    const char *class;          /* of a suite's name: what takes it out, too; NULL: only the word itself */
} weak_words[] = {
    { "eNULL", SUITE_NULL }, { "NULL", SUITE_NULL }, { "COMPLEMENTOFALL", SUITE_NULL },
    { "aNULL", SUITE_ANON }, { "ADH", SUITE_ANON }, { "AECDH", SUITE_ANON },
    { "COMPLEMENTOFDEFAULT", SUITE_ANON },
    { "RC4", SUITE_WEAK }, { "RC2", SUITE_WEAK }, { "3DES", SUITE_WEAK }, { "DES", SUITE_WEAK },
    { "IDEA", SUITE_WEAK }, { "SEED", SUITE_WEAK }, { "MD5", SUITE_WEAK }, { "LOW", SUITE_WEAK },
    { "EXP", SUITE_WEAK }, { "EXPORT", SUITE_WEAK }, { "EXPORT40", SUITE_WEAK },
    { "EXPORT56", SUITE_WEAK }, { "RC4-SHA", SUITE_WEAK, "RC4" },
    { "RC4-MD5", SUITE_WEAK, "RC4" }, { "DES-CBC3-SHA", SUITE_WEAK, "3DES" },
    { "DES-CBC-SHA", SUITE_WEAK, "DES" }, { "ECDHE-RSA-DES-CBC3-SHA", SUITE_WEAK, "3DES" },
    { "ECDHE-RSA-RC4-SHA", SUITE_WEAK, "RC4" },
};

static const char separators[] = ":, ;";

/* "!word" stands somewhere in the list: gone for good, wherever it is. */
static bool is_taken_out(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = list; *p; p += strcspn(p, separators)) {
        p += strspn(p, separators);
        if (*p == '!' && strcspn(p + 1, separators) == len && strncmp(p + 1, word, len) == 0)
            return true;
    }
    return false;
}

/* A word of several parts, "kRSA+3DES", brings in what all of its parts have. */
static bool has_part(const char *word, size_t len, const char *part)
{
    size_t part_len = strlen(part);

    for (const char *p = word; p < word + len; p++) {
        size_t one = strcspn(p, "+:, ;");

        if (one == part_len && strncmp(p, part, part_len) == 0)
            return true;
        p += one;
    }
    return false;
}

static bool is_weak_word(const char *list, const char *word, size_t len, enum suite_flaw *flaw)
{
    for (size_t i = 0; i < PS_COUNT(weak_words); i++)
        if (has_part(word, len, weak_words[i].word) && !is_taken_out(list, weak_words[i].word)
            && !(weak_words[i].class && is_taken_out(list, weak_words[i].class))) {
            *flaw = weak_words[i].flaw;
            return true;
        }
    /* ALL has the anonymous ones in it */
    if (len == 3 && strncmp(word, "ALL", 3) == 0 && !is_taken_out(list, "aNULL")
        && !is_taken_out(list, "ADH")) {
        *flaw = SUITE_ANON;
        return true;
    }
    return false;
}

bool suites_named_weak(const char *list, enum suite_flaw *flaw, size_t *begin, size_t *len)
{
    for (const char *p = list; *p; p += *len) {
        p += strspn(p, separators);
        *len = strcspn(p, separators);
        /* "+word" only moves what is there, "-" and "!" take out, "@" is a command */
        if (!*len || strchr("!-+@", *p))
            continue;
        if (is_weak_word(list, p, *len, flaw)) {
            *begin = (size_t)(p - list);
            return true;
        }
    }
    return false;
}

/* ---- groups ---- */

static const struct {
    const char *name;
    int bits;
} modern[] = {
    { "X25519", 253 }, { "x25519", 253 }, { "X448", 448 }, { "x448", 448 },
    { "ffdhe2048", 2048 }, { "ffdhe3072", 3072 }, { "ffdhe4096", 4096 },
    { "ffdhe6144", 6144 }, { "ffdhe8192", 8192 },
};

int group_bits(const char *name)
{
    for (size_t i = 0; i < PS_COUNT(modern); i++)
        if (strcmp(name, modern[i].name) == 0)
            return modern[i].bits;

    int nid = EC_curve_nist2nid(name);
    EC_GROUP *group;
    if (nid == NID_undef)
        nid = OBJ_txt2nid(name);
    group = nid == NID_undef ? NULL : EC_GROUP_new_by_curve_name(nid);
    int bits = group ? EC_GROUP_order_bits(group) : 0;
    EC_GROUP_free(group);
    ERR_clear_error();
    return bits;
}

bool group_is_hybrid(const char *name)
{
    return strcasestr(name, "MLKEM") || strcasestr(name, "kyber");
}
