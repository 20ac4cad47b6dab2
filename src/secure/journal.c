/* journal.c - the text of a journal, and where it lies (see journal.h). */
#include "secure/journal.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"

static const char *const state_names[] = {
    [TXN_PREPARED] = "prepared", [TXN_APPLIED] = "applied",   [TXN_RELOADED] = "reloaded",
    [TXN_VERIFIED] = "verified", [TXN_UNDOING] = "undoing",   [TXN_UNDONE] = "undone",
};

const char *txn_state_name(enum txn_state state)
{
    return state_names[state];
}

void txn_free(struct txn *txn)
{
    for (size_t i = 0; i < txn->len; i++)
        free(txn->changes[i].path);
    free(txn->changes);
    free(txn->data_dir);
    free(txn->dir);
    free(txn);
}

/* ---- text ---- */

static const char header[] = "pgseal journal 1";

/* One word a value: blanks, control characters and % become %XX. */
static void put_word(struct buf *out, const char *text)
{
    buf_putc(out, ' ');
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c <= ' ' || *c == '%' || *c == 127)
            buf_printf(out, "%%%02X", *c);
        else
            buf_putc(out, (char)*c);
    }
}

void txn_write_text(const struct txn *txn, struct buf *out)
{
    buf_printf(out, "%s\nstate %s\ndata_dir", header, state_names[txn->state]);
    put_word(out, txn->data_dir);
    buf_printf(out, "\nbegan %lld\ntls_was %s\n", (long long)txn->began,
               txn->tls_was_on ? "on" : "off");
    for (size_t i = 0; i < txn->len; i++) {
        const struct txn_change *change = &txn->changes[i];

        buf_printf(out, "change %s %s", change->existed ? change->before_sha : "-",
                   change->after_sha);
        put_word(out, change->path);
        buf_putc(out, '\n');
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The opposite of put_word; NULL for a broken escape or an escaped NUL. */
static char *take_word(const char *word)
{
    PS_AUTO(ps_freep) char *text = ps_malloc(strlen(word) + 1);
    char *to = text;

    for (; *word; word++) {
        if (*word != '%') {
            *to++ = *word;
            continue;
        }
        int high = hex_digit(word[1]), low = high < 0 ? -1 : hex_digit(word[2]);
        if (low < 0 || (high == 0 && low == 0))
            return NULL;
        *to++ = (char)(high << 4 | low);
        word += 2;
    }
    *to = '\0';
    return PS_TAKE(text);
}

static bool is_digest(const char *word)
{
    return strlen(word) == DIGEST_HEX - 1
        && strspn(word, "0123456789abcdef") == DIGEST_HEX - 1;
}

static bool take_state(struct txn *txn, char **words)
{
    for (size_t i = 0; i < PS_COUNT(state_names); i++)
        if (strcmp(words[0], state_names[i]) == 0) {
            txn->state = (enum txn_state)i;
            return true;
        }
    return false;
}

static bool take_data_dir(struct txn *txn, char **words)
{
    free(txn->data_dir);
    return (txn->data_dir = take_word(words[0])) != NULL;
}

static bool take_began(struct txn *txn, char **words)
{
    long when;

    if (!num_parse(words[0], 0, INT64_MAX, &when))
        return false;
    txn->began = when;
    return true;
}

static bool take_tls_was(struct txn *txn, char **words)
{
    txn->tls_was_on = strcmp(words[0], "on") == 0;
    return txn->tls_was_on || strcmp(words[0], "off") == 0;
}

static bool take_change(struct txn *txn, char **words)
{
    struct txn_change change = { .existed = strcmp(words[0], "-") != 0 };

    if (txn->len >= JOURNAL_MAX_CHANGES || (change.existed && !is_digest(words[0]))
        || !is_digest(words[1]) || !(change.path = take_word(words[2])))
        return false;
    if (change.existed)
        memcpy(change.before_sha, words[0], DIGEST_HEX);
    memcpy(change.after_sha, words[1], DIGEST_HEX);
    PS_PUSH(txn->changes, txn->len, txn->cap) = change;
    return true;
}

static const struct {
    const char *name;
    size_t words;
    bool (*take)(struct txn *txn, char **words);
} line_kinds[] = {
    { "state",    1, take_state },
    { "data_dir", 1, take_data_dir },
    { "began",    1, take_began },
    { "tls_was",  1, take_tls_was },
    { "change",   3, take_change },
};

static bool parse_line(struct txn *txn, char *line)
{
    char *words[4] = { 0 };
    size_t len = 0;

    for (char *word; len < PS_COUNT(words) && (word = strsep(&line, " ")); len++)
        words[len] = word;
    for (size_t i = 0; i < PS_COUNT(line_kinds); i++)
        if (strcmp(words[0], line_kinds[i].name) == 0)
            return len == line_kinds[i].words + 1 && !line && line_kinds[i].take(txn, words + 1);
    return false;
}

bool txn_parse(const char *text, size_t len, const char *name, struct txn **out,
               struct ps_err *err)
{
    PS_AUTO(txn_freep) struct txn *txn = ps_calloc(1, sizeof(*txn));
    PS_AUTO(ps_freep) char *copy = ps_strndup(text, len);
    char *rest = copy, *line;
    bool good = strlen(copy) == len && len <= JOURNAL_MAX_BYTES && len > 0
        && copy[len - 1] == '\n';
    unsigned number = 0;

    while (good && (line = strsep(&rest, "\n")) && (rest || *line)) {
        number++;
        good = number == 1 ? strcmp(line, header) == 0 : parse_line(txn, line);
    }
    if (!good || number == 0 || !txn->data_dir) {
        ps_fail(err, PS_E_SYNTAX, _("journal \"%s\" is damaged"), name);
        ps_hint(err, _("The old files are beside it as before-0, before-1 and so on: put them back "
                       "by hand, then move the folder away."));
        return ps_at(err, name, number, 0);
    }
    *out = PS_TAKE(txn);
    return true;
}

/* ---- the state folder ---- */

char *state_dir_for(const char *data_dir)
{
    return ps_asprintf("%s.pgseal", data_dir);
}

/* Root makes what the owner may not, and gives it to him while it is still empty. */
static bool make_state_dir(const char *dir, const struct user *owner, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *parent = path_dir(dir);
    PS_AUTO(user_return) struct user_guard guard = { 0 };
    struct user actor;

    plan_actor(owner, parent, &actor);
    if (!user_become(&actor, &guard, err) || !dir_ensure(dir, 0700, NULL, err)) {
        ps_while(err, _("could not make the folder for the way back and the server's keys"));
        return ps_hint(err, _("Run pgseal as root, or give another folder with --state-dir DIR."));
    }
    if (actor.uid != owner->uid && lchown(dir, owner->uid, owner->gid) != 0)
        return ps_fail(err, PS_E_IO, _("could not give folder \"%s\" to \"%s\": %m"), dir,
                       owner->name);
    return true;
}

bool state_dir_ensure(const char *state_dir, const struct user *owner, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *tls = path_join(state_dir, "tls");
    struct stat st;

    if (!file_is_dir(state_dir) && !make_state_dir(state_dir, owner, err))
        return false;
    if (lstat(state_dir, &st) != 0)
        return ps_fail(err, PS_E_IO, _("could not stat \"%s\": %m"), state_dir);
    if (!S_ISDIR(st.st_mode) || st.st_uid != owner->uid || (st.st_mode & 0077)) {
        ps_fail(err, PS_E_UNSAFE, _("folder \"%s\" is not private to \"%s\""), state_dir,
                owner->name);
        return ps_hint(err, _("It holds the server's key: chown %s \"%s\" and chmod 0700 \"%s\"."),
                       owner->name, state_dir, state_dir);
    }

    PS_AUTO(user_return) struct user_guard guard = { 0 };
    return user_become(owner, &guard, err) && dir_ensure(tls, 0700, NULL, err);
}

/* ---- transactions on disk ---- */

static unsigned txn_number(const char *name)
{
    long number;

    return strncmp(name, "txn-", 4) == 0 && num_parse(name + 4, 1, 999999999, &number)
        ? (unsigned)number : 0;
}

/* The highest number below `below` (0: of all); 0 when there is none. */
static bool highest(const char *state_dir, unsigned below, unsigned *out, struct ps_err *err)
{
    DIR *dir = opendir(state_dir);
    struct dirent *entry;

    if (!dir)
        return ps_fail(err, PS_E_IO, _("could not open folder \"%s\": %m"), state_dir);
    *out = 0;
    while ((entry = readdir(dir))) {
        unsigned number = txn_number(entry->d_name);

        if (number > *out && (below == 0 || number < below))
            *out = number;
    }
    closedir(dir);
    return true;
}

static bool save(const struct txn *txn, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = path_join(txn->dir, "journal");
    PS_AUTO(buf_free) struct buf text = BUF(JOURNAL_MAX_BYTES);

    txn_write_text(txn, &text);
    if (text.over)
        return ps_fail(err, PS_E_TOO_BIG, _("journal \"%s\" is too big"), path);
    return file_write(path, text.p, text.len, 0600, err);
}

static bool save_before(const struct txn *txn, size_t i, const struct change *change,
                        struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = ps_asprintf("%s/before-%zu", txn->dir, i);

    return !change->existed
        || file_write(path, buf_text(&change->before), change->before.len, 0600, err);
}

/* See journal.h.  Undoing needs the journal twice and one old file twice, each for a moment. */
static bool keep_reserve(const struct txn *txn, const struct plan *plan, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = path_join(txn->dir, "reserve");
    size_t len = 0;

    for (size_t i = 0; i < plan->len; i++)
        if (plan->changes[i].before.len > len)
            len = plan->changes[i].before.len;
    len += 32u << 10;
    PS_AUTO(ps_freep) char *bytes = ps_calloc(1, len);
    return file_write(path, bytes, len, 0600, err);
}

static bool give_reserve(const struct txn *txn, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *path = path_join(txn->dir, "reserve");

    return file_remove(path, err);
}

bool txn_begin(const char *state_dir, const char *data_dir, bool tls_was_on,
               const struct plan *plan, struct txn **out, struct ps_err *err)
{
    PS_AUTO(txn_freep) struct txn *txn = ps_calloc(1, sizeof(*txn));
    unsigned last;

    if (!highest(state_dir, 0, &last, err))
        return false;
    txn->number = last + 1;
    txn->dir = ps_asprintf("%s/txn-%04u", state_dir, txn->number);
    txn->state = TXN_PREPARED;
    txn->data_dir = ps_strdup(data_dir);
    txn->began = clock_now();
    txn->tls_was_on = tls_was_on;

    if (!dir_ensure(txn->dir, 0700, NULL, err))
        return false;
    for (size_t i = 0; i < plan->len; i++) {
        const struct change *change = &plan->changes[i];
        struct txn_change *kept = &PS_PUSH(txn->changes, txn->len, txn->cap);

        *kept = (struct txn_change){ .path = ps_strdup(change->path), .existed = change->existed };
        memcpy(kept->before_sha, change->before_sha, DIGEST_HEX);
        memcpy(kept->after_sha, change->after_sha, DIGEST_HEX);
        if (!save_before(txn, i, change, err))
            return false;
    }
    if (!keep_reserve(txn, plan, err) || !save(txn, err))
        return false;
    *out = PS_TAKE(txn);
    return true;
}

bool txn_set_state(struct txn *txn, enum txn_state state, struct ps_err *err)
{
    enum txn_state old = txn->state;

    if (state == TXN_UNDOING && !give_reserve(txn, err))
        return false;
    txn->state = state;
    if (save(txn, err))
        return true;
    txn->state = old;
    return false;
}

static bool load(const char *state_dir, unsigned number, struct txn **out, struct ps_err *err)
{
    PS_AUTO(ps_freep) char *dir = ps_asprintf("%s/txn-%04u", state_dir, number);
    PS_AUTO(ps_freep) char *path = path_join(dir, "journal");
    PS_AUTO(buf_free) struct buf text = BUF(JOURNAL_MAX_BYTES);

    *out = NULL;
    if (!file_read(path, JOURNAL_MAX_BYTES, &text, err)) {
        if (err->code != PS_E_NOT_FOUND)
            return false;
        ps_err_clear(err);      /* died before it was prepared: it has changed nothing */
        return true;
    }
    if (!txn_parse(buf_text(&text), text.len, path, out, err))
        return false;
    (*out)->dir = PS_TAKE(dir);
    (*out)->reached = (*out)->len;
    (*out)->number = number;
    return true;
}

bool txn_latest(const char *state_dir, struct txn **out, struct ps_err *err)
{
    unsigned number = 0;

    for (*out = NULL; file_is_dir(state_dir); ) {
        PS_AUTO(txn_freep) struct txn *txn = NULL;

        if (!highest(state_dir, number, &number, err))
            return false;
        if (number == 0)
            break;
        if (!load(state_dir, number, &txn, err))
            return false;
        if (txn && txn->state != TXN_UNDONE) {
            *out = PS_TAKE(txn);
            break;
        }
        if (number == 1)
            break;
    }
    return true;
}
