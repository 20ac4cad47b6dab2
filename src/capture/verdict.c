/* verdict.c - see verdict.h. */
#include "capture/verdict.h"

static const struct {
    const char *word, *text;
    bool suspicious;
} verdicts[VERDICTS] = {
    [V_TLS] = { "tls", N_("encrypted with TLS"), false },
    [V_PLAINTEXT] = { "plaintext", N_("plaintext"), true },
    [V_DOWNGRADED] = { "downgraded", N_("plaintext, after TLS was asked for"), true },
    [V_REFUSED] = { "refused", N_("the server refused TLS, and the client gave up"), true },
    [V_GSS] = { "gss", N_("encrypted with GSSAPI"), false },
    [V_GSS_FAILED] = { "gss-failed", N_("GSSAPI failed"), true },
    [V_CANCEL] = { "cancel", N_("request to cancel a query"), false },
    [V_TLS_FAILED] = { "tls-failed", N_("the TLS handshake failed"), true },
    [V_TLS_NOT_STARTED] = { "tls-not-started", N_("TLS was granted, and the client never began"), true },
    [V_INJECTED] = { "injected", N_("bytes were stuffed in before the TLS handshake"), true },
    [V_NO_DATA] = { "no-data", N_("nothing was sent"), false },
    [V_NOT_POSTGRES] = { "not-postgres", N_("not PostgreSQL"), false },
    [V_UNKNOWN] = { "unknown", N_("unknown"), false },
};

static const struct {
    const char *word, *text;
} reasons[REASONS] = {
    [R_BEGAN_BEFORE] = { "began-before", N_("it began before the capture") },
    [R_LOST] = { "lost", N_("packets of its beginning are missing in the capture") },
    [R_CUT] = { "cut", N_("packets of its beginning were cut when they were captured") },
    [R_ONE_DIRECTION] = { "one-direction", N_("only the packets of one side were captured") },
    [R_ENDED] = { "capture-ended", N_("the capture ended before it was decided") },
    [R_NO_ANSWER] = { "no-answer", N_("the server did not answer the request") },
    [R_SUITE] = { "unknown-suite", N_("the cipher suite is in no registry") },
    [R_NULL_SUITE] = { "null-suite", N_("TLS with a cipher suite that encrypts nothing") },
    [R_NO_ALPN] = { "no-alpn", N_("TLS from the first byte, without the ALPN name of PostgreSQL") },
    [R_NO_TLS] = { "not-tls", N_("what was sent is not TLS") },
    [R_HIDDEN_ALERT] = { "hidden-alert", N_("it was broken off by an alert that is encrypted") },
    [R_CLOSED] = { "closed", N_("it was closed without an alert") },
    [R_BEHIND] = { "behind-handshake", N_("behind the finished handshake came messages that are not encrypted") },
    [R_NO_FRAMES] = { "not-framed", N_("behind the finished handshake came bytes that are no part of it") },
    [R_OVERLAP] = { "overlapping-fragments",
                    N_("fragments of its packets overlap, so that nobody can say what the receiver took") },
    [R_STRANGE] = { "other-numbers", N_("packets on its ports have numbers that are not its own") },
    [R_COPIES] = { "copies-differ", N_("bytes that were sent again differ from those before, so that nobody can say "
                                       "what the receiver took") },
    [R_OVER_BOUND] = { "over-bound", N_("it was dropped because a bound of memory was reached") },
};

const char *verdict_word(enum verdict verdict)
{
    return verdicts[verdict].word;
}

const char *verdict_text(enum verdict verdict)
{
    return _(verdicts[verdict].text);
}

const char *reason_word(enum reason reason)
{
    return reasons[reason].word;
}

const char *reason_text(enum reason reason)
{
    return reasons[reason].text ? _(reasons[reason].text) : NULL;
}

bool verdict_is_readable(enum verdict verdict)
{
    return verdict == V_PLAINTEXT || verdict == V_DOWNGRADED;
}

bool verdict_is_encrypted(enum verdict verdict)
{
    return verdict == V_TLS || verdict == V_GSS;
}

bool verdict_is_suspicious(enum verdict verdict)
{
    return verdicts[verdict].suspicious;
}
