/* spool.c - see spool.h. */
#include "capture/spool.h"

#include <unistd.h>

#include "base/mem.h"
#include "base/rd.h"
#include "capture/shelf.h"

enum { TEXTS_MAX = TALK_TEXTS * (TALK_SAMPLE_MAX + 1), BYTES_MAX = CERT_BYTES_MAX };
_Static_assert((int)TEXTS_MAX <= (int)BYTES_MAX, "the longest item fits");

struct head {
    uint32_t kind, number, len;     /* len: bytes behind the fixed part */
};

struct spool {
    FILE *file;
    bool failed;
    uint8_t *bytes;                 /* room for the longest item */
};

PS_MUST static FILE *unnamed_file(void)
{
    const char *dir = getenv("TMPDIR");
    PS_AUTO(ps_freep) char *path = ps_asprintf("%s/pgseal-XXXXXX", dir && *dir ? dir : "/tmp");
    int fd = mkstemp(path);

    if (fd < 0)
        return NULL;
    (void)unlink(path);
    return fdopen(fd, "w+");
}

bool spool_new(struct spool **out, struct ps_err *err)
{
    FILE *file = unnamed_file();

    if (!file)
        return ps_fail(err, PS_E_IO, _("could not make a temporary file: %m"));
    *out = ps_calloc(1, sizeof(**out));
    (*out)->file = file;
    (*out)->bytes = ps_malloc(BYTES_MAX);
    return true;
}

void spool_free(struct spool *spool)
{
    fclose(spool->file);
    free(spool->bytes);
    free(spool);
}

static void put(struct spool *spool, const void *bytes, size_t len)
{
    if (len && fwrite(bytes, len, 1, spool->file) != 1)
        spool->failed = true;
}

void spool_put_conn(struct spool *spool, const struct conn *conn)
{
    struct head head = { .kind = SPOOL_CONN };
    struct conn plain = *conn;

    for (int i = 0; i < TALK_TEXTS; i++) {
        head.len += conn->text[i] ? (uint32_t)strlen(conn->text[i]) + 1 : 0;
        head.number |= conn->text[i] ? 1u << i : 0;
        plain.text[i] = NULL;
    }
    put(spool, &head, sizeof(head));
    put(spool, &plain, sizeof(plain));
    for (int i = 0; i < TALK_TEXTS; i++)
        if (conn->text[i])
            put(spool, conn->text[i], strlen(conn->text[i]) + 1);
}

void spool_put_cert(struct spool *spool, uint32_t number, const void *der, size_t len)
{
    put(spool, &(struct head){ SPOOL_CERT, number, (uint32_t)len }, sizeof(struct head));
    put(spool, der, len);
}

void spool_put_counts(struct spool *spool, const struct capture_counts *counts)
{
    put(spool, &(struct head){ .kind = SPOOL_COUNTS }, sizeof(struct head));
    put(spool, counts, sizeof(*counts));
}

bool spool_finish(struct spool *spool, struct ps_err *err)
{
    if (fflush(spool->file) == 0 && !spool->failed)
        return true;
    return ps_fail(err, PS_E_IO, _("could not write to a temporary file: %m"));
}

void spool_rewind(struct spool *spool)
{
    rewind(spool->file);
}

static bool get(struct spool *spool, void *bytes, size_t len)
{
    return len == 0 || fread(bytes, len, 1, spool->file) == 1;
}

static bool get_conn(struct spool *spool, const struct head *head, struct conn *conn)
{
    struct rd rd;

    if (head->len > TEXTS_MAX || !get(spool, conn, sizeof(*conn))
        || !get(spool, spool->bytes, head->len))
        return false;
    rd = rd_over(spool->bytes, head->len);
    for (int i = 0; i < TALK_TEXTS; i++) {
        conn->text[i] = NULL;
        if ((head->number >> i & 1) && !rd_cstr(&rd, &conn->text[i]))
            return false;
    }
    return conn->verdict < VERDICTS && conn->reason < REASONS && conn->facts.start < STARTS
        && conn->facts.password < PASSWORDS;
}

enum spool_kind spool_next(struct spool *spool, struct spool_item *out)
{
    struct head head;

    out->kind = SPOOL_END;
    if (!get(spool, &head, sizeof(head)))
        return SPOOL_END;
    if (head.kind == SPOOL_CONN && get_conn(spool, &head, &out->conn))
        out->kind = SPOOL_CONN;
    else if (head.kind == SPOOL_COUNTS && get(spool, &out->counts, sizeof(out->counts)))
        out->kind = SPOOL_COUNTS;
    else if (head.kind == SPOOL_CERT && head.len <= CERT_BYTES_MAX
             && get(spool, spool->bytes, head.len)) {
        out->kind = SPOOL_CERT;
        out->cert = head.number;
        out->der = (struct span){ spool->bytes, head.len };
    }
    return out->kind;
}
