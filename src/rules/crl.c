/* crl.c - rules about client CAs and revocation lists (see tests.h). */
#include <strings.h>

#include "rules/common.h"
#include "rules/tests.h"

#define DAY (24 * 60 * 60)

/* ---- the CAs of clients ---- */

static bool is_set(const struct posture *posture, const char *name)
{
    const char *value = posture_value(posture, name);

    return value && *value;
}

/* Of ssl_ca_file, or of a line of pg_hosts.conf. */
static const struct tls_file *first_ca(const struct posture *posture)
{
    for (size_t i = 0; i < posture->files_len; i++)
        if (posture->files[i].role == FILE_CA)
            return &posture->files[i];
    return NULL;
}

static void found_no_ca(const struct rule *rule, struct place place, const char *object,
                        struct findings *out)
{
    rule_found(rule, out, (struct finding){
        .place = place, .object = object,
        .message = _("this line demands a client certificate, and ssl_ca_file is empty: nobody gets in by it"),
        .evidence = "ssl_ca_file = ''" });
}

/* Where the word stands that asks for a certificate; NULL: none does. */
static const char *asks_for_cert(const char *line, size_t *len)
{
    static const char blanks[] = " \t\r,";

    for (const char *p = line + strspn(line, blanks); *p && *p != '#'; p += *len + strspn(p + *len, blanks)) {
        *len = strcspn(p, blanks);
        if ((strncmp(p, "clientcert=", 11) == 0 && strncmp(p + 11, "0", 1) != 0
             && strncmp(p + 11, "no-verify", 9) != 0)
            || (strncmp(p, "cert", 4) == 0 && strchr(" \t\r", p[4])))
            return p;
    }
    return NULL;
}

/* A line that this version refuses, as "cert clientcert=1" from 14, is no rule, and wants the CA all the same. */
static void judge_broken_lines(const struct rule *rule, const struct posture *posture,
                               struct findings *out)
{
    for (size_t i = 0; i < hba_problems(posture->hba) && i < FINDINGS_MAX; i++) {
        const struct hba_problem *problem = hba_problem(posture->hba, i);
        const char *line = arena_strndup(out->arena, problem->text, problem->text_len);
        size_t len = 0;
        const char *word = asks_for_cert(line, &len);

        if (!word)
            continue;
        unsigned column = (unsigned)(word - line) + 1;
        found_no_ca(rule, (struct place){ .file = problem->file, .line = problem->line, .column = column,
                                          .end_column = column + (unsigned)len, .text = line }, line, out);
    }
}

void rule_client_ca_missing(const struct rule *rule, const struct posture *posture,
                            struct findings *out)
{
    if (!rule_tls_on(rule, posture, out) || first_ca(posture))
        return;
    if (!posture->hba) {
        rule_unseen(rule, out, posture->hba_why ? posture->hba_why : _("pg_hba.conf was not seen"));
        return;
    }
    for (size_t i = 0; i < hba_rules(posture->hba); i++) {
        const struct hba_rule *line = hba_rule(posture->hba, i);

        if (hba_clientcert(posture->hba, line) != HBA_CERT_NONE)
            found_no_ca(rule, posture_hba_place(posture, line, line->method_begin, line->method_end),
                        line->method, out);
    }
    judge_broken_lines(rule, posture, out);
}

/* Organizations of public roots, as their certificates spell them. */
static const char *const public_cas[] = {
    "DigiCert Inc", "Internet Security Research Group", "Let's Encrypt", "GlobalSign", "GlobalSign nv-sa",
    "Sectigo Limited", "COMODO CA Limited", "The USERTRUST Network", "Amazon", "Starfield Technologies, Inc.",
    "Google Trust Services LLC", "GoDaddy.com, Inc.", "The Go Daddy Group, Inc.", "Entrust, Inc.",
    "Entrust.net", "IdenTrust", "QuoVadis Limited", "Baltimore", "Microsoft Corporation", "VeriSign, Inc.",
    "thawte, Inc.", "GeoTrust Inc.", "Certum", "Unizeto Technologies S.A.", "Asseco Data Systems S.A.",
    "Actalis S.p.A./03358520967", "Buypass AS-983163327", "FNMT-RCM", "ACCV", "IZENPE S.A.",
    "Firmaprofesional S.A.", "SwissSign AG", "T-Systems Enterprise Services GmbH",
    "D-Trust GmbH", "HARICA", "Hellenic Academic and Research Institutions CA", "SSL Corporation",
    "Apple Inc.", "WISeKey", "Digital Signature Trust Co.",
};

static bool is_public(const struct cert *ca)
{
    for (size_t i = 0; i < PS_COUNT(public_cas); i++)
        if (strcasecmp(cert_info(ca)->dn.o, public_cas[i]) == 0)
            return true;
    return false;
}

/* A private CA has a root or two and some intermediates; distributions bring 130 roots in one file. */
enum { CAS_MAX = 50 };

static void judge_width(const struct rule *rule, const struct tls_file *ca, struct findings *out)
{
    size_t count = 0;
    const char *first = NULL;

    if (ca->why) {
        rule_unseen(rule, out, ca->why);
        return;
    }
    for (size_t i = 0; i < ca->certs.len; i++)
        if (is_public(ca->certs.at[i]))
            first = count++ ? first : cert_info(ca->certs.at[i])->subject;
    if (count == 0 && ca->certs.len <= CAS_MAX)
        return;
    rule_found(rule, out, (struct finding){
        .place = ca->named, .object = ca->path,
        .message = count ? arena_printf(out->arena, _("\"%s\" has roots of public CAs"), ca->path)
                         : arena_printf(out->arena, _("\"%s\" has %zu CAs: more than any private CA"), ca->path,
                                        ca->certs.len),
        .evidence = first, .fix_kind = FIX_ADVICE,
        .fix = _("Let ssl_ca_file hold only the CA that signs the certificates of your own clients.") });
}

void rule_client_ca_wide(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    if (!rule_tls_on(rule, posture, out))
        return;
    for (size_t i = 0; i < posture->files_len; i++)
        if (posture->files[i].role == FILE_CA)
            judge_width(rule, &posture->files[i], out);
}

/* ---- revocation lists ---- */

typedef void judge_crl(const struct rule *rule, const struct posture *posture,
                       const struct tls_file *file, const struct crl *crl, struct findings *out);

static void each_crl(const struct rule *rule, const struct posture *posture, struct findings *out,
                     judge_crl *judge)
{
    if (!rule_tls_on(rule, posture, out))
        return;
    for (size_t i = 0; i < posture->files_len; i++) {
        const struct tls_file *file = &posture->files[i];

        if (file->role != FILE_CRL && file->role != FILE_CRL_DIR)
            continue;
        if (file->why)
            rule_unseen(rule, out, file->why);
        for (size_t k = 0; file->role == FILE_CRL && k < file->crls.len; k++)
            judge(rule, posture, file, file->crls.at[k], out);
    }
}

static void found_crl(const struct rule *rule, const struct posture *posture,
                      const struct tls_file *file, const struct crl *crl, enum severity severity,
                      const char *message, const char *evidence, struct findings *out)
{
    struct finding finding = { .severity = severity, .place = rule_file_place(file),
                               .object = crl_info(crl)->issuer, .message = message,
                               .evidence = evidence };

    rule_cure_pgseal(posture, "rotate --crl-only --ca CADIR", out, &finding);
    rule_found(rule, out, finding);
}

static void judge_dates(const struct rule *rule, const struct posture *posture,
                        const struct tls_file *file, const struct crl *crl, struct findings *out)
{
    const struct crl_info *info = crl_info(crl);

    if (info->next_update && info->next_update < posture->now)
        found_crl(rule, posture, file, crl, SEV_NOTHING,
                  arena_printf(out->arena, _("the revocation list of \"%s\" has expired: every certificate of it is "
                                             "refused"), info->issuer),
                  arena_printf(out->arena, "nextUpdate = %s", rule_date(out, info->next_update)), out);
    else if (info->this_update > posture->now)
        found_crl(rule, posture, file, crl, SEV_NOTHING,
                  arena_printf(out->arena, _("the revocation list of \"%s\" is not valid yet: every certificate of it "
                                             "is refused"), info->issuer),
                  arena_printf(out->arena, "thisUpdate = %s", rule_date(out, info->this_update)), out);
}

void rule_crl_expired(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    each_crl(rule, posture, out, judge_dates);
}

/* Lists live for days by design: the last third of the way, and at most a week. */
static void judge_end(const struct rule *rule, const struct posture *posture,
                      const struct tls_file *file, const struct crl *crl, struct findings *out)
{
    const struct crl_info *info = crl_info(crl);
    time_t left = info->next_update - posture->now;
    time_t third = (info->next_update - info->this_update) / 3;

    if (!info->next_update || left < 0 || left >= third || left >= 7 * DAY)
        return;
    found_crl(rule, posture, file, crl, left < DAY ? SEV_HIGH : SEV_NOTHING,
              arena_printf(out->arena, _("the revocation list of \"%s\" expires soon"), info->issuer),
              arena_printf(out->arena, "nextUpdate = %s", rule_date(out, info->next_update)), out);
}

void rule_crl_expiring(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    each_crl(rule, posture, out, judge_end);
}

/* ---- lists and CAs ---- */

/* Certificates inside the CRL files are trusted, too. */
static bool has_issuer(const struct posture *posture, const struct crl *crl)
{
    for (size_t i = 0; i < posture->files_len; i++) {
        const struct tls_file *file = &posture->files[i];

        for (size_t k = 0; (file->role == FILE_CA || file->role == FILE_CRL) && k < file->certs.len; k++)
            if (crl_issued_by(crl, file->certs.at[k]))
                return true;
    }
    return false;
}

/* An intermediate that clients send themselves is in no file of the server's. */
static void judge_issuer(const struct rule *rule, const struct posture *posture,
                         const struct tls_file *file, const struct crl *crl, struct findings *out)
{
    const struct tls_file *ca = first_ca(posture);

    if (!ca || ca->why || ca->missing) {
        rule_unseen(rule, out, ca && ca->why ? ca->why : _("the CAs of clients were not seen"));
        return;
    }
    if (has_issuer(posture, crl))
        return;
    struct finding finding = {
        .place = rule_file_place(file), .object = crl_info(crl)->issuer,
        .message = arena_printf(out->arena, _("the revocation list is from \"%s\", which is no CA of \"%s\""),
                                crl_info(crl)->issuer, ca->path),
        .evidence = arena_printf(out->arena, "issuer = %s", crl_info(crl)->issuer),
        .fix_kind = FIX_ADVICE,
        .fix = _("Put a list of each CA of ssl_ca_file, the root included, into ssl_crl_file.") };
    rule_found(rule, out, finding);
}

void rule_crl_issuer_mismatch(const struct rule *rule, const struct posture *posture,
                              struct findings *out)
{
    each_crl(rule, posture, out, judge_issuer);
}

static bool has_list(const struct posture *posture, const struct cert *ca)
{
    for (size_t i = 0; i < posture->files_len; i++) {
        const struct tls_file *file = &posture->files[i];

        for (size_t k = 0; file->role == FILE_CRL && k < file->crls.len; k++)
            if (crl_issued_by(file->crls.at[k], ca))
                return true;
    }
    return false;
}

/* X509_V_FLAG_CRL_CHECK_ALL: a list of every CA on the way, or nobody gets in. */
static void judge_levels(const struct rule *rule, const struct posture *posture,
                         const struct tls_file *ca, struct findings *out)
{
    for (size_t i = 0; i < ca->certs.len; i++) {
        const struct cert_info *info = cert_info(ca->certs.at[i]);

        if (!info->is_ca || has_list(posture, ca->certs.at[i]))
            continue;
        rule_found(rule, out, (struct finding){
            .severity = SEV_HIGH, .place = ca->named, .object = info->subject,
            .message = arena_printf(out->arena, _("there is no revocation list of \"%s\": every client certificate "
                                                  "below it is refused"), info->subject),
            .evidence = ca->path, .fix_kind = FIX_ADVICE,
            .fix = arena_printf(out->arena, _("Add the revocation list of \"%s\" to ssl_crl_file and reload."),
                                info->subject) });
    }
}

static const char *unseen_list(const struct posture *posture)
{
    for (size_t i = 0; i < posture->files_len; i++) {
        const struct tls_file *file = &posture->files[i];
        bool list = file->role == FILE_CRL || file->role == FILE_CRL_DIR;

        if (list && file->why)
            return file->why;
        /* in a folder a broken file is only a list less */
        if (list && (file->missing || (file->fault && strcmp(file->setting, "ssl_crl_file") == 0)))
            return _("the revocation lists could not be read");
    }
    return NULL;
}

static void found_no_list(const struct rule *rule, const struct posture *posture,
                          const struct tls_file *ca, struct findings *out)
{
    struct finding finding = {
        .place = ca->named, .object = "ssl_crl_file",
        .message = _("client certificates let people in, and there is no revocation list"),
        .evidence = posture->major >= 14 ? "ssl_crl_file = '', ssl_crl_dir = ''" : "ssl_crl_file = ''" };

    rule_found(rule, out, finding);
}

void rule_crl_missing(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    const struct tls_file *ca = first_ca(posture);
    enum fact_bool wanted = rule_wants_client_certs(posture);

    if (!rule_tls_on(rule, posture, out) || !ca)
        return;                 /* without CAs no certificate is asked for */
    if (is_set(posture, "ssl_crl_file") || is_set(posture, "ssl_crl_dir")) {
        const char *why = ca->why ? ca->why : unseen_list(posture);

        if (why)
            rule_unseen(rule, out, why);
        for (size_t i = 0; !why && i < posture->files_len; i++)
            if (posture->files[i].role == FILE_CA)
                judge_levels(rule, posture, &posture->files[i], out);
    } else if (wanted == FACT_UNKNOWN) {
        rule_unseen(rule, out, posture->hba_why ? posture->hba_why : _("pg_hba.conf was not seen"));
    } else if (wanted == FACT_YES) {
        found_no_list(rule, posture, ca, out);
    }
}

/* X509_STORE_load_locations() takes certificates for anchors wherever it finds them. */
void rule_crl_with_cert(const struct rule *rule, const struct posture *posture, struct findings *out)
{
    if (!rule_tls_on(rule, posture, out))
        return;
    for (size_t i = 0; i < posture->files_len; i++) {
        const struct tls_file *file = &posture->files[i];

        if (file->role != FILE_CRL)
            continue;
        if (file->why)
            rule_unseen(rule, out, file->why);
        for (size_t k = 0; k < file->certs.len; k++)
            rule_found(rule, out, (struct finding){
                .place = rule_file_place(file), .object = cert_info(file->certs.at[k])->subject,
                .message = arena_printf(out->arena, _("the certificate \"%s\" among the revocation lists is trusted "
                                                      "as a CA of clients"),
                                        cert_info(file->certs.at[k])->subject),
                .evidence = file->path, .fix_kind = FIX_ADVICE,
                .fix = _("Take the certificate out of the file of revocation lists, and reload.") });
    }
}
