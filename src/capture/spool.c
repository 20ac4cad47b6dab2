/* spool.c - see spool.h. */
#include "capture/spool.h"

#include <errno.h>
#include <unistd.h>

#include "base/mem.h"
#include "capture/shelf.h"

enum { WORDS = offsetof(struct conn, text) / sizeof(uint64_t), TEXTS_MAX = TALK_TEXTS * (TALK_SAMPLE_MAX + 1),
       BODY_MAX = CERT_BYTES_MAX, BUFFER_BYTES = 128 << 10 };

/* A body stands behind each head: words and texts of a connection, a certificate, or the counts. */
struct head {
    uint8_t kind;
    uint8_t texts;              /* of a connection: bit i, text i is there, and ends with NUL */
    uint32_t len;               /* of the body, at most BODY_MAX */
    uint64_t mark;              /* of a connection: bit i, word i is not zero and is there; a certificate's number */
};

_Static_assert(offsetof(struct conn, text) % sizeof(uint64_t) == 0 && WORDS < 64, "words have a bit each, and one is free");
_Static_assert(TALK_TEXTS <= 8, "texts have a bit each");
_Static_assert(WORDS * sizeof(uint64_t) + TEXTS_MAX <= BODY_MAX, "the longest connection fits");
_Static_assert(sizeof(struct head) + BODY_MAX <= BUFFER_BYTES, "the longest item fits");

struct spool {
    int fd;
    int failed;                 /* errno of the first failure, 0: none */
    uint8_t *buffer;            /* of what is to be written, then of what was read */
    size_t from, until;
    off_t at;                   /* where the file is read on */
};

PS_MUST static int unnamed_file(void)
{
    const char *dir = getenv("TMPDIR");
    PS_AUTO(ps_freep) char *path = ps_asprintf("%s/pgseal-XXXXXX", dir && *dir ? dir : "/tmp");
    int fd = mkstemp(path);

    if (fd >= 0)
        (void)unlink(path);
    return fd;
}

bool spool_new(struct spool **out, struct ps_err *err)
{
    int fd = unnamed_file();

    if (fd < 0)
        return ps_fail(err, PS_E_IO, _("could not make a temporary file: %m"));
    *out = ps_calloc(1, sizeof(**out));
    (*out)->fd = fd;
    (*out)->buffer = ps_malloc(BUFFER_BYTES);
    return true;
}

void spool_free(struct spool *spool)
{
    close(spool->fd);
    free(spool->buffer);
    free(spool);
}

/* ---- writing ---- */

static void flush(struct spool *spool)
{
    while (spool->from < spool->until && !spool->failed) {
        ssize_t n = write(spool->fd, spool->buffer + spool->from, spool->until - spool->from);

        if (n > 0)
            spool->from += (size_t)n;
        else if (n < 0 && errno != EINTR)
            spool->failed = errno;
    }
    spool->from = spool->until = 0;
}

/* Room for the longest item. */
static uint8_t *begin_item(struct spool *spool)
{
    if (BUFFER_BYTES - spool->until < sizeof(struct head) + BODY_MAX)
        flush(spool);
    return spool->buffer + spool->until + sizeof(struct head);
}

static void end_item(struct spool *spool, struct head head, const uint8_t *end)
{
    uint8_t *at = spool->buffer + spool->until;

    head.len = (uint32_t)(end - at - sizeof(head));
    memcpy(at, &head, sizeof(head));
    spool->until = (size_t)(end - spool->buffer);
}

void spool_put_conn(struct spool *spool, const struct conn *conn)
{
    struct head head = { .kind = SPOOL_CONN };
    uint8_t *to = begin_item(spool);
    uint64_t words[WORDS];

    memcpy(words, conn, sizeof(words));
    for (size_t i = 0; i < WORDS; i++)
        if (words[i]) {
            head.mark |= 1ull << i;
            memcpy(to, &words[i], sizeof(words[i]));
            to += sizeof(words[i]);
        }
    for (int i = 0; i < TALK_TEXTS; i++)
        if (conn->text[i]) {
            size_t len = strlen(conn->text[i]) + 1;

            head.texts |= (uint8_t)(1u << i);
            memcpy(to, conn->text[i], len);
            to += len;
        }
    end_item(spool, head, to);
}

static void put(struct spool *spool, struct head head, const void *bytes, size_t len)
{
    uint8_t *to = begin_item(spool);

    memcpy(to, bytes, len);
    end_item(spool, head, to + len);
}

void spool_put_cert(struct spool *spool, uint32_t number, const void *der, size_t len)
{
    put(spool, (struct head){ .kind = SPOOL_CERT, .mark = number }, der, len);
}

void spool_put_counts(struct spool *spool, const struct capture_counts *counts)
{
    put(spool, (struct head){ .kind = SPOOL_COUNTS }, counts, sizeof(*counts));
}

bool spool_finish(struct spool *spool, struct ps_err *err)
{
    flush(spool);
    errno = spool->failed;
    return !spool->failed || ps_fail(err, PS_E_IO, _("could not write to a temporary file: %m"));
}

/* ---- reading ---- */

void spool_rewind(struct spool *spool)
{
    spool->at = 0;
    spool->from = spool->until = 0;
}

/* So many bytes are in the buffer from `from` on; false: the file ends before. */
static bool fill(struct spool *spool, size_t need)
{
    memmove(spool->buffer, spool->buffer + spool->from, spool->until - spool->from);
    spool->until -= spool->from;
    spool->from = 0;
    while (spool->until < need) {
        ssize_t n = pread(spool->fd, spool->buffer + spool->until, BUFFER_BYTES - spool->until, spool->at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        spool->until += (size_t)n;
        spool->at += n;
    }
    return true;
}

/* The next `len` bytes, until the next call; NULL: there are not so many. */
static const uint8_t *get(struct spool *spool, size_t len)
{
    if (spool->until - spool->from < len && !fill(spool, len))
        return NULL;
    spool->from += len;
    return spool->buffer + spool->from - len;
}

static bool get_conn(const struct head *head, struct rd *rd, struct conn *conn)
{
    uint64_t words[WORDS] = { 0 };
    struct span word;

    if (head->mark >> WORDS)
        return false;
    for (uint64_t mark = head->mark; mark; mark &= mark - 1) {
        if (!rd_bytes(rd, sizeof(words[0]), &word))
            return false;
        memcpy(&words[__builtin_ctzll(mark)], word.p, sizeof(words[0]));
    }
    memcpy(conn, words, sizeof(words));
    for (int i = 0; i < TALK_TEXTS; i++) {
        conn->text[i] = NULL;
        if ((head->texts >> i & 1) && !rd_cstr(rd, &conn->text[i]))
            return false;
    }
    return conn->verdict < VERDICTS && conn->reason < REASONS && conn->facts.start < STARTS
        && conn->facts.password < PASSWORDS;
}

static bool get_body(const struct head *head, struct rd *rd, struct spool_item *out)
{
    switch (head->kind) {
    case SPOOL_CONN:
        return get_conn(head, rd, &out->conn);
    case SPOOL_COUNTS:
        if (head->len != sizeof(out->counts))
            return false;
        memcpy(&out->counts, rd->p, sizeof(out->counts));
        return true;
    case SPOOL_CERT:
        out->cert = (uint32_t)head->mark;
        out->der = (struct span){ rd->p, rd->len };
        return true;
    default:
        return false;
    }
}

enum spool_kind spool_next(struct spool *spool, struct spool_item *out)
{
    const uint8_t *bytes = get(spool, sizeof(struct head));
    struct head head;
    struct rd rd;

    out->kind = SPOOL_END;
    if (!bytes)
        return SPOOL_END;
    memcpy(&head, bytes, sizeof(head));
    bytes = head.len <= BODY_MAX ? get(spool, head.len) : NULL;
    rd = rd_over(bytes, head.len);
    if (bytes && get_body(&head, &rd, out))
        out->kind = (enum spool_kind)head.kind;
    return out->kind;
}
