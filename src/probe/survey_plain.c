/* survey_plain.c - see survey_parts.h. */
#include "probe/survey_parts.h"

#include <stdlib.h>

#include "probe/peers.h"
#include "probe/startup.h"

static void read_plain(struct survey *survey, const struct shot *shot, struct startup_seen *out)
{
    startup_read(buf_text(&shot->got), shot->got.len, survey->seen->arena, out);
}

/* One letter is all that is wanted. */
static enum wire_parse letter_enough(const void *bytes, size_t len)
{
    (void)bytes;
    return len ? WIRE_DONE : WIRE_MORE;
}

/*
 * Who declines the second of two equal requests once more is a pooler, and says which one to a startup of
 * version 2.  Where TLS is declined too, the requests alternate: PostgreSQL with CVE-2026-6479 declines
 * without end, and recurses each time; three are harmless.  A fourth, equal to the third, it refuses.
 */
static void read_negotiation(struct survey *survey, const struct shot *shot)
{
    struct seen *seen = survey->seen;
    const bool tls = seen->letter == 'S';

    read_plain(survey, shot, &seen->negotiation);
    if (tls && shot->letter)
        seen->gss = shot->letter == 'G' ? FACT_YES : FACT_NO;
    else if (!tls && shot->letters >= 1)
        seen->gss = shot->letter == 'G' ? FACT_YES : FACT_NO;
    if (!tls && shot->letters >= 1 && shot->end != SHOT_TIMEOUT)
        seen->negotiates_again = shot->letters >= 3 ? FACT_YES : FACT_NO;
}

/*
 * "number of requested standby connections exceeds max_wal_senders (currently 10)" comes before pg_hba.conf is
 * looked at (InitProcess in proc.c).  The language is the server's, the number stands in all of them; -1: it is not said.
 */
static long wal_senders(const struct startup_seen *said)
{
    const char *end;

    if (said->kind != KIND_POSTGRES || !said->sqlstate || strcmp(said->sqlstate, "53300") != 0 || !said->routine
        || strcmp(said->routine, "InitProcess") != 0 || !said->message)
        return -1;
    end = said->message + strlen(said->message);
    while (end > said->message && (end[-1] < '0' || end[-1] > '9'))
        end--;
    while (end > said->message && end[-1] >= '0' && end[-1] <= '9')
        end--;
    return *end >= '0' && *end <= '9' ? strtol(end, NULL, 10) : -1;
}

static void read_replication(struct survey *survey, const struct shot *shot)
{
    struct startup_seen *said = &survey->seen->plain_replication;

    read_plain(survey, shot, said);
    /* with no place for anybody, nobody comes in */
    if (wal_senders(said) == 0)
        said->end = STARTUP_REFUSED;
    /* who hears nobody without TLS does not look at what he says */
    if (survey->seen->plain.end == STARTUP_TLS_DEMANDED)
        said->end = STARTUP_TLS_DEMANDED;
}

void survey_replication_again(struct survey *survey)
{
    struct shot again = { .parts = { &survey->replication }, .enough = startup_enough };

    if (survey->seen->plain_replication.end != STARTUP_ERROR || wal_senders(&survey->seen->plain_replication) <= 0)
        return;
    shots_fire(&survey->target, &again, 1);
    read_replication(survey, &again);
    shot_release(&again);
}

/* Is plaintext let in, and replication on it?  Is GSSAPI encryption offered, and how often is it declined? */
void survey_plain(struct survey *survey)
{
    struct seen *seen = survey->seen;
    struct shot shots[] = {
        { .parts = { &survey->plain }, .enough = startup_enough },
        { .parts = { &survey->replication }, .enough = startup_enough },
        { .parts = { &survey->gss, &survey->gss, &survey->old }, .go_on = 'N', .enough = startup_enough },
    };

    const bool told = survey_is_told_by_its_proof(seen);
    if (told)
        shots[2] = (struct shot){ .parts = { &survey->gss }, .enough = letter_enough };
    else if (seen->letter != 'S')
        shots[2] = (struct shot){ .parts = { &survey->ssl, &survey->gss, &survey->ssl, &survey->ssl,
                                             &survey->old },
                                  .go_on = 'N', .enough = startup_enough };
    shots_fire(&survey->target, shots, PS_COUNT(shots));
    read_plain(survey, &shots[0], &seen->plain);
    read_replication(survey, &shots[1]);
    if (!told)
        read_negotiation(survey, &shots[2]);
    else if (shots[2].got.len)
        seen->gss = *buf_text(&shots[2].got) == 'G' ? FACT_YES : FACT_NO;
    seen->kind = peers_kind(seen);
    for (size_t i = 0; i < PS_COUNT(shots); i++)
        shot_release(&shots[i]);
}
