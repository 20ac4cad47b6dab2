/* major.c - see major.h. */
#include "probe/major.h"

#include <stdio.h>
#include <stdlib.h>

#include "probe/binding.h"

static void narrow(struct major_range *range, int from, int to)
{
    range->from = from > range->from ? from : range->from;
    range->to = to < range->to ? to : range->to;
}

/* ---- where an error stands in the source ---- */

/*
 * Lines of errors in ProcessStartupPacket, by the version that the other signs leave.  Minor releases move
 * them: between these lie those that a version has now, or may still come to, and another one has too.
 */
static const struct {
    const char *sqlstate;
    int first, last;            /* lines */
    struct major_range among;   /* one of these, known already */
    struct major_range gives;
} lines[] = {
    /* unsupported frontend protocol: 12 has it from 2054 to 2126, 13 from 2090 to 2147 */
    { "0A000", 2040, 2084, { 12, 13 }, { 12, 12 } },
    { "0A000", 2133, 2180, { 12, 13 }, { 13, 13 } },
    /* 14 from 2108 to 2171, 15 from 2188 to 2210, 16 from 2142 to 2175 */
    { "0A000", 2085, 2138, { 14, 16 }, { 14, 14 } },
    { "0A000", 2205, 2240, { 14, 16 }, { 15, 15 } },
    /* received unencrypted data after SSL request: 15 from 2120 to 2136, the others below 2090 */
    { "08P01", 2106, 2170, { 14, 16 }, { 15, 15 } },
};

/*
 * Where a last message without a proof is missed (read_any_attr of auth-scram.c; see binding.h).  No minor release
 * has moved it, and compilers count from the first or the last line of the statement; 19 has it where 18 has.
 */
static const struct {
    int first, last;
    struct major_range gives;
} proof_lines[] = {
    { 790, 799, { 12, 12 } }, { 802, 809, { 13, 13 } }, { 810, 818, { 14, 14 } }, { 822, 832, { 15, 15 } },
    { 846, 852, { 17, 17 } }, { 853, 859, { 16, 16 } }, { 860, 870, { 18, MAJOR_LAST } },
};

static bool is_startup_packet(const struct startup_seen *said)
{
    return said->kind == KIND_POSTGRES && strcmp(said->routine, "ProcessStartupPacket") == 0;
}

static void read_file(const struct startup_seen *said, struct major_range *range)
{
    if (!is_startup_packet(said))
        return;
    if (strcmp(said->file, "postmaster.c") == 0)
        narrow(range, 0, 16);
    if (strcmp(said->file, "backend_startup.c") == 0)
        narrow(range, 17, MAJOR_LAST);
}

static void read_line(const struct startup_seen *said, struct major_range *range)
{
    if (!is_startup_packet(said) || strcmp(said->file, "postmaster.c") != 0)
        return;
    int line = (int)strtol(said->line, NULL, 10);

    for (size_t i = 0; i < PS_COUNT(lines); i++)
        if (strcmp(said->sqlstate, lines[i].sqlstate) == 0 && line >= lines[i].first
            && line <= lines[i].last && range->from >= lines[i].among.from
            && range->to <= lines[i].among.to) {
            narrow(range, lines[i].gives.from, lines[i].gives.to);
            return;
        }
}

/* Other signs weigh more: a line may move after all. */
static void read_proof_line(const struct startup_seen *said, struct major_range *range)
{
    if (binding_read(said) != FACT_YES)
        return;
    int line = (int)strtol(said->line, NULL, 10);

    for (size_t i = 0; i < PS_COUNT(proof_lines); i++)
        if (line >= proof_lines[i].first && line <= proof_lines[i].last
            && proof_lines[i].gives.from <= range->to && proof_lines[i].gives.to >= range->from)
            narrow(range, proof_lines[i].gives.from, proof_lines[i].gives.to);
}

/* ---- what an error says ---- */

/* "unsupported frontend protocol 1234.5680: server supports 3.0 to 3.2", in whatever language. */
static void read_protocols(const struct startup_seen *said, struct major_range *range)
{
    int numbers[6];
    size_t len = 0;

    if (!is_startup_packet(said) || strcmp(said->sqlstate, "0A000") != 0 || !said->message)
        return;
    for (const char *at = said->message; *at && len < PS_COUNT(numbers); ) {
        char *end;

        if (*at < '0' || *at > '9') {
            at++;
            continue;
        }
        numbers[len++] = (int)strtol(at, &end, 10);
        at = end;
    }
    if (len < 6 || numbers[0] != 1234 || numbers[4] != 3)
        return;
    if (numbers[2] < 3)
        narrow(range, 0, 13);
    else if (numbers[5] == 0)
        narrow(range, 14, 17);
    else
        narrow(range, 18, MAJOR_LAST);
}

static bool ends_in(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* How pg_hba.conf refuses; other languages have texts of their own, and say nothing here. */
static void read_refusal(const struct startup_seen *said, struct major_range *range)
{
    if (said->kind != KIND_POSTGRES || said->end != STARTUP_REFUSED || !said->message
        || !strstr(said->message, "pg_hba.conf"))
        return;
    if (ends_in(said->message, ", no encryption") || ends_in(said->message, ", SSL encryption"))
        narrow(range, 14, MAJOR_LAST);
    if (ends_in(said->message, ", SSL off") || ends_in(said->message, ", SSL on"))
        narrow(range, 0, 13);
}

/* ---- how it behaves ---- */

/* Of TLS only what the server itself must have agreed to: another may end it in front of it. */
static void read_behaviour(const struct seen *seen, struct major_range *range)
{
    if (seen->gss != FACT_UNKNOWN)              /* 11 answers such a request with an error */
        narrow(range, 12, MAJOR_LAST);
    if (seen->over_tls.scram_plus)
        narrow(range, 11, MAJOR_LAST);
    if (seen->direct_tls == FACT_YES)
        narrow(range, 17, MAJOR_LAST);
    if (startup_is_open(&seen->direct) || seen->direct.kind == KIND_POSTGRES)
        narrow(range, seen->direct.newest_minor == 0 ? 0 : 18,
               seen->direct.newest_minor == 0 ? 17 : MAJOR_LAST);
}

bool major_of(const struct seen *seen, struct major_range *out)
{
    const struct startup_seen *const said[] = {
        &seen->plain, &seen->plain_replication, &seen->over_tls, &seen->negotiation, &seen->stuffed,
        &seen->direct,
    };
    struct major_range range = { 0, MAJOR_LAST };

    if (seen->kind != KIND_POSTGRES)
        return false;
    read_behaviour(seen, &range);
    for (size_t i = 0; i < PS_COUNT(said); i++) {
        read_file(said[i], &range);
        read_protocols(said[i], &range);
        read_refusal(said[i], &range);
    }
    for (size_t i = 0; i < PS_COUNT(said); i++)
        read_line(said[i], &range);
    read_proof_line(&seen->binding, &range);
    if (range.from > range.to || (range.from == 0 && range.to == MAJOR_LAST))
        return false;
    *out = range;
    return true;
}
