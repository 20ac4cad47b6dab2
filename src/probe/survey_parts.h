/*
 * survey_parts.h - the parts of a survey, for src/probe/survey*.c alone.
 *
 * Each part asks its questions on connections of its own and writes what was answered into `seen`.
 */
#ifndef PS_SURVEY_PARTS_H
#define PS_SURVEY_PARTS_H

#include "probe/handshake.h"
#include "probe/offers.h"
#include "probe/survey.h"
#include "tls/answer.h"

struct survey {
    const struct survey_plan *plan;
    struct seen *seen;
    struct shot_target target;
    const char *sni;            /* NULL: the host is an address */
    uint16_t first_choice;      /* of all suites before TLS 1.3, with the best first in the list; 0: none */
    uint16_t schemes[16];       /* of signatures, for the next hello alone */
    size_t schemes_len;         /* 0: all */
    size_t suites_max;          /* in one hello; 0: as many as there are */
    bool all_new;               /* the suites and groups of TLS 1.2 and 1.3 are known, all of them */
    bool schemes12_known;       /* of TLS 1.2: no other is accepted */
    uint16_t refused13[4];
    size_t refused13_len;
    struct buf ssl, gss, plain, replication;    /* what is sent */
    struct buf newest;          /* a startup of the newest protocol that we know */
    struct buf old;             /* one of version 2, which PostgreSQL gave up in 14 */
};

/* ---- facts (survey_ask.c) ---- */

void survey_set(enum fact_bool *fact, bool value);      /* a YES stays */
void survey_note_hello(struct seen *seen, const struct answer *answer, bool offered_compression);
void survey_note_version(struct seen *seen, uint16_t version, bool accepted);
void survey_unreached(struct seen *seen, enum seen_reach reach, const char *text);
bool survey_speaks(const struct seen *seen, uint16_t version);
size_t survey_suites_of(const struct seen *seen, bool tls13);
bool survey_speaks_before(const struct seen *seen, uint16_t version);   /* any older one */

/* ---- questions by a hello of our own (survey_ask.c) ---- */

struct asked {
    enum question question;
    const uint16_t *only;       /* offer these suites alone; NULL: the question's */
    size_t only_len;
    bool nothing_left;          /* to be offered: it was not asked */
    bool cut_off;               /* so would be whatever is asked by now: no answer */
    struct buf offer;
    struct shot shot;
    struct answer answer;       /* points into its own bytes */
};

enum leave_out { OFFER_ALL, OFFER_NEW_SUITES, OFFER_NEW_GROUPS };   /* new: not known by now */

/* At most 8 at once; those for which nothing is left to be offered are not asked: their offer is empty. */
void survey_ask(struct survey *survey, struct asked *list, size_t len, enum leave_out leave_out);
bool asked_refused(const struct asked *asked);
bool asked_accepted(const struct asked *asked);
void asked_free(struct asked *list, size_t len);

/* Does the first handshake, which came to its end, do so still?  True where it did not. */
bool survey_shakes_still(struct survey *survey);            /* survey_start.c */

/* What an answer to ASK_TLS12 says besides (survey_versions.c). */
void survey_note_tls12(struct survey *survey, struct asked *asked);

/* A question for one more suite, which asks for one more scheme of signatures too (survey_schemes.c). */
void survey_ask_both(struct survey *survey, struct asked *one);

/* ---- what need not be asked (survey_known.c) ---- */

bool survey_has_one_curve(struct seen *seen);               /* a good one, and no other group */
bool survey_is_cut_off(struct seen *seen);                  /* nothing below TLS 1.2 */
bool survey_reads_all_hellos(struct seen *seen);            /* long ones, and of any version: goes down to it */
bool survey_never_renegotiates(struct seen *seen);
bool survey_never_compresses(struct seen *seen);
bool survey_has_own_order(struct seen *seen);               /* the server's preference counts */
bool survey_has_one_list(struct seen *seen);                /* of suites, for all versions before 1.3 */
bool survey_has_nothing_old(struct seen *seen);             /* no suite that could be spoken below TLS 1.2 */
bool survey_forgets_what_comes_early(struct seen *seen);    /* bytes before the handshake */
bool survey_is_told_by_its_proof(const struct seen *seen);  /* who it is, and which major version */
bool survey_has_no_direct_tls(struct seen *seen);
bool survey_insists_on_alpn(struct seen *seen);             /* on direct connections */

/* ---- the parts, in the order in which they are asked ---- */

bool survey_reach(struct survey *survey);           /* survey_contact.c; false: nobody to be asked more */
void survey_plain(struct survey *survey);           /* survey_plain.c */
void survey_replication_again(struct survey *survey);   /* when its places were taken; some time after */
void survey_direct(struct survey *survey);          /* survey_start.c */
void survey_stuffing(struct survey *survey);
void survey_demand(struct survey *survey);
/* A whole handshake of TLS 1.2 at most; false: it did not come to its end, and says nothing of that version. */
bool survey_whole12(struct survey *survey);
uint16_t survey_renegotiation(struct survey *survey);     /* the suite that was agreed on; 0: none */
void survey_new_versions(struct survey *survey);    /* survey_versions.c */
void survey_old_versions(struct survey *survey);
void survey_kinds(struct survey *survey);           /* survey_suites.c */
void survey_all_new(struct survey *survey);         /* survey_all.c */
void survey_all_old(struct survey *survey);
void survey_schemes(struct survey *survey);         /* survey_schemes.c */

#endif
