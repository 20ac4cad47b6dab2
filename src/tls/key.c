/* key.c - see key.h. */
#include "tls/key.h"

#include <errno.h>
#include <sys/stat.h>

#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "base/base64.h"
#include "tls/internal.h"

enum { PBKDF2_ROUNDS = 600000, PBKDF2_SALT_BYTES = 16 };    /* OWASP 2023 for HMAC-SHA256 */

static const struct {
    const char *name;
    const char *algorithm, *curve;
    size_t bits;
} types[] = {
    [KEY_EC_P256]  = { "ec:p256",  "EC", "P-256", 256 },
    [KEY_EC_P384]  = { "ec:p384",  "EC", "P-384", 384 },
    [KEY_RSA_2048] = { "rsa:2048", "RSA", NULL, 2048 },
    [KEY_RSA_3072] = { "rsa:3072", "RSA", NULL, 3072 },
    [KEY_RSA_4096] = { "rsa:4096", "RSA", NULL, 4096 },
    [KEY_ED25519]  = { "ed25519",  "ED25519", NULL, 256 },
};

bool key_type_parse(const char *word, enum key_type *out, struct ps_err *err)
{
    for (size_t i = 0; i < PS_COUNT(types); i++) {
        if (strcmp(word, types[i].name) == 0) {
            *out = (enum key_type)i;
            return true;
        }
    }
    ps_fail(err, PS_E_VALUE, _("unknown type of key \"%s\""), word);
    return ps_hint(err, _("Known are: ec:p256, ec:p384, rsa:2048, rsa:3072, rsa:4096, ed25519."));
}

const char *key_type_name(enum key_type type)
{
    return types[type].name;
}

struct key *key_wrap(EVP_PKEY *pkey)
{
    struct key *key = ps_calloc(1, sizeof(*key));

    key->pkey = pkey;
    return key;
}

void key_free(struct key *key)
{
    EVP_PKEY_free(key->pkey);
    free(key);
}

bool key_generate(enum key_type type, struct key **out, struct ps_err *err)
{
    const char *algorithm = types[type].algorithm;
    EVP_PKEY *pkey = types[type].curve ? EVP_PKEY_Q_keygen(NULL, NULL, algorithm, types[type].curve)
                                       : EVP_PKEY_Q_keygen(NULL, NULL, algorithm, types[type].bits);

    if (!pkey)
        return tls_fail(err, PS_E_CRYPTO, _("could not make a private key of type %s"),
                        types[type].name);
    *out = key_wrap(pkey);
    return true;
}

/* ---- reading ---- */

struct asked {
    const struct secret *pass;
    bool yes;
};

static int give_pass(char *buf, int size, int writing, void *arg)
{
    struct asked *asked = arg;

    (void)writing;
    asked->yes = true;
    if (!asked->pass || asked->pass->len > (size_t)size)
        return -1;
    memcpy(buf, asked->pass->p, asked->pass->len);
    return (int)asked->pass->len;
}

static bool fail_encrypted(const char *name, bool had_pass, struct ps_err *err)
{
    ERR_clear_error();
    if (had_pass)
        return ps_fail(err, PS_E_PASSPHRASE, _("wrong passphrase for private key \"%s\""), name);
    return ps_fail(err, PS_E_PASSPHRASE, _("private key \"%s\" is encrypted"), name);
}

bool key_from_pem(const char *pem, size_t len, const char *name, const struct secret *pass,
                  struct key **out, struct ps_err *err)
{
    struct asked asked = { .pass = pass };

    ERR_clear_error();
    if (len > SECRET_MAX)
        return ps_fail(err, PS_E_TOO_BIG, _("private key \"%s\" is too big"), name);

    PS_AUTO(BIO_free_allp) BIO *bio = BIO_new_mem_buf(len ? pem : "", (int)len);
    PS_AUTO(EVP_PKEY_freep) EVP_PKEY *pkey =
        bio ? PEM_read_bio_PrivateKey(bio, NULL, give_pass, &asked) : NULL;
    if (!pkey && asked.yes)
        return fail_encrypted(name, pass != NULL, err);
    if (!pkey) {
        tls_fail(err, PS_E_SYNTAX, _("could not read private key \"%s\""), name);
        return ps_hint(err, _("It must be in PEM form: \"-----BEGIN PRIVATE KEY-----\"."));
    }
    ERR_clear_error();      /* the decoders that did not fit leave their complaints */
    *out = key_wrap(PS_TAKE(pkey));
    return true;
}

static bool contains(const char *text, size_t len, const char *word)
{
    return memmem(text, len, word, strlen(word)) != NULL;
}

bool key_pem_is_encrypted(const char *pem, size_t len)
{
    return contains(pem, len, "-----BEGIN ENCRYPTED PRIVATE KEY-----")
        || (contains(pem, len, "PRIVATE KEY-----") && contains(pem, len, "Proc-Type: 4,ENCRYPTED"));
}

/* ---- writing ---- */

static bool fail_write(struct ps_err *err)
{
    return tls_fail(err, PS_E_CRYPTO, _("could not encode a private key"));
}

static bool take_bio(BIO *bio, struct secret *out, struct ps_err *err)
{
    char *bytes = NULL;
    long len = BIO_get_mem_data(bio, &bytes);

    if (len <= 0)
        return fail_write(err);
    secret_set(out, bytes, (size_t)len);
    return true;
}

static X509_SIG *encrypt(PKCS8_PRIV_KEY_INFO *p8, const struct secret *pass)
{
    X509_ALGOR *how = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), PBKDF2_ROUNDS, NULL, PBKDF2_SALT_BYTES,
                                        NULL, NID_hmacWithSHA256);
    X509_SIG *sig = how ? PKCS8_set0_pbe(pass->p, (int)pass->len, p8, how) : NULL;

    if (!sig)
        X509_ALGOR_free(how);
    return sig;
}

/* PEM in one piece, the private bytes in no other memory. */
static void to_pem(const struct secret *der, struct secret *out)
{
    static const char begin[] = "-----BEGIN PRIVATE KEY-----\n", end[] = "-----END PRIVATE KEY-----\n";
    const size_t begin_len = sizeof(begin) - 1, end_len = sizeof(end) - 1;

    secret_alloc(out, begin_len + BASE64_LINES_SIZE(der->len) + end_len);
    memcpy(out->p, begin, begin_len);
    size_t lines = base64_lines(der->p, der->len, out->p + begin_len);
    memcpy(out->p + begin_len + lines, end, end_len);
}

static bool stays_in_token(const struct key *key, struct ps_err *err)
{
    if (key->in_token)
        ps_fail(err, PS_E_UNSUPPORTED, _("a key in a token cannot be written to a file"));
    return key->in_token;
}

bool key_to_pem(const struct key *key, const struct secret *pass, struct secret *out,
                struct ps_err *err)
{
    PS_AUTO(BIO_free_allp) BIO *bio = NULL;
    PS_AUTO(PKCS8_PRIV_KEY_INFO_freep) PKCS8_PRIV_KEY_INFO *p8 = NULL;
    PS_AUTO(X509_SIG_freep) X509_SIG *sig = NULL;
    PS_AUTO(secret_free) struct secret der = { 0 };

    if (stays_in_token(key, err))
        return false;
    if (!pass && tls_ec_pkcs8(key->pkey, &der)) {
        to_pem(&der, out);
        return true;
    }
    bio = BIO_new(BIO_s_secmem());
    p8 = EVP_PKEY2PKCS8(key->pkey);
    if (!bio || !p8)
        return fail_write(err);
    if (pass) {
        sig = encrypt(p8, pass);
        if (!sig || !PEM_write_bio_PKCS8(bio, sig))
            return fail_write(err);
    } else if (!PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, p8)) {
        return fail_write(err);
    }
    return take_bio(bio, out, err);
}

bool key_to_pkcs8_der(const struct key *key, struct secret *out, struct ps_err *err)
{
    PS_AUTO(BIO_free_allp) BIO *bio = BIO_new(BIO_s_secmem());
    PS_AUTO(PKCS8_PRIV_KEY_INFO_freep) PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(key->pkey);

    if (stays_in_token(key, err))
        return false;
    if (!bio || !p8 || !i2d_PKCS8_PRIV_KEY_INFO_bio(bio, p8))
        return fail_write(err);
    return take_bio(bio, out, err);
}

int key_bits(const struct key *key)
{
    return EVP_PKEY_get_bits(key->pkey);
}

bool key_dh_bits(const char *pem, size_t len, const char *name, int *bits, struct ps_err *err)
{
    ERR_clear_error();
    PS_AUTO(BIO_free_allp) BIO *bio = len <= SECRET_MAX ? BIO_new_mem_buf(len ? pem : "", (int)len)
                                                         : NULL;
    PS_AUTO(EVP_PKEY_freep) EVP_PKEY *params = bio ? PEM_read_bio_Parameters(bio, NULL) : NULL;

    if (!params || !(EVP_PKEY_is_a(params, "DH") || EVP_PKEY_is_a(params, "DHX"))) {
        tls_fail(err, PS_E_SYNTAX, _("no Diffie-Hellman parameters in \"%s\""), name);
        return ps_hint(err, _("It must be in PEM form: \"-----BEGIN DH PARAMETERS-----\"."));
    }
    *bits = EVP_PKEY_get_bits(params);
    ERR_clear_error();
    return true;
}

const char *key_describe(const struct key *key, char *out, size_t size)
{
    return tls_pkey_describe(key->pkey, out, size);
}

/* ---- the file ---- */

bool key_file_mode_ok(const char *path, uid_t owner, struct ps_err *err)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        ps_fail(err, errno == ENOENT ? PS_E_NOT_FOUND : PS_E_IO,
                _("could not access private key file \"%s\": %m"), path);
        return ps_at(err, path, 0, 0);
    }
    if (!S_ISREG(st.st_mode))
        return ps_fail(err, PS_E_KEY_MODE, _("private key file \"%s\" is not a regular file"),
                       path);
    if (st.st_uid != owner && st.st_uid != 0) {
        ps_fail(err, PS_E_KEY_MODE,
                _("private key file \"%s\" must be owned by the database user or root"), path);
        ps_at(err, path, 0, 0);
        return ps_hint(err, _("Run: chown %lu \"%s\""), (unsigned long)owner, path);
    }
    if ((st.st_uid == owner && (st.st_mode & 0077)) || (st.st_uid == 0 && (st.st_mode & 0037))) {
        ps_fail(err, PS_E_KEY_MODE, _("private key file \"%s\" has group or world access"), path);
        ps_detail(err, _("Its mode is %04o; PostgreSQL takes 0600, or 0640 for a file of root's."),
                  (unsigned)(st.st_mode & 07777));
        ps_at(err, path, 0, 0);
        return ps_hint(err, _("Run: chmod 0600 \"%s\""), path);
    }
    return true;
}
