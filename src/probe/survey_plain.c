/* survey_plain.c - see survey_parts.h. */
#include "probe/survey_parts.h"
#include "probe/startup.h"

static enum wire_parse one_byte(const void *bytes, size_t len)
{
    (void)bytes;
    return len ? WIRE_DONE : WIRE_MORE;
}

static void read_plain(struct survey *survey, const struct shot *shot, struct startup_seen *out)
{
    startup_read(buf_text(&shot->got), shot->got.len, survey->seen->arena, out);
}

/*
 * Is plaintext let in, and replication on it?  Is GSSAPI encryption offered, and is a second request for
 * encryption answered instead of refused (CVE-2026-6479)?
 */
void survey_plain(struct survey *survey)
{
    struct seen *seen = survey->seen;
    const bool tls = seen->letter == 'S';
    struct shot shots[] = {
        { .first = &survey->plain, .enough = startup_enough },
        { .first = &survey->replication, .enough = startup_enough },
        /* what was declined once is asked for again, and then nothing more: two requests are harmless */
        { .first = tls ? &survey->gss : &survey->ssl, .go_on = 'N',
          .second = tls ? &survey->gss : &survey->ssl, .enough = one_byte },
    };

    shots_fire(&survey->target, shots, PS_COUNT(shots));
    read_plain(survey, &shots[0], &seen->plain);
    read_plain(survey, &shots[1], &seen->plain_replication);
    if (tls && shots[2].letter)
        seen->gss = shots[2].letter == 'G' ? FACT_YES : FACT_NO;
    if (shots[2].letter == 'N' && shots[2].end != SHOT_TIMEOUT)
        seen->negotiates_again = shots[2].end == SHOT_ANSWERED && *buf_text(&shots[2].got) == 'N'
                                 ? FACT_YES : FACT_NO;
    seen->kind = startup_kind(seen->plain.sqlstate ? &seen->plain : &seen->over_tls);
    for (size_t i = 0; i < PS_COUNT(shots); i++)
        shot_release(&shots[i]);
}
