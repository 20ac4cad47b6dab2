/* needles.c - see needles.h. */
#include "doctor/needles.h"

#include "base/mem.h"

enum { NONE = UINT16_MAX };

struct needles {
    uint8_t column[256];    /* of each byte; 0: in no word */
    size_t columns;
    uint16_t *next;         /* [state][column] */
    uint16_t *word;         /* that ends in a state, or NONE */
    uint16_t *more;         /* of a state: the longest suffix in which a word ends, or NONE */
    uint16_t *twin;         /* of a word: the next one that is equal, or NONE */
    bool *ends;             /* some word ends here: itself or a suffix */
    size_t states;
};

void needles_free(struct needles *needles)
{
    free(needles->next);
    free(needles->word);
    free(needles->more);
    free(needles->twin);
    free(needles->ends);
    free(needles);
}

static size_t give_columns(struct needles *needles, const char *const *words, const size_t *lens,
                           size_t len)
{
    size_t bytes = 0;

    needles->columns = 1;
    for (size_t i = 0; i < len; i++) {
        bytes += lens[i];
        for (size_t j = 0; j < lens[i]; j++) {
            uint8_t *column = &needles->column[(uint8_t)words[i][j]];

            if (*column == 0)
                *column = (uint8_t)needles->columns++;
        }
    }
    return bytes;
}

static uint16_t *step_of(const struct needles *needles, size_t state, uint8_t byte)
{
    return &needles->next[state * needles->columns + needles->column[byte]];
}

/* 0, the root, stands for "no such branch" while the tree grows: nothing leads back to it. */
static void add_word(struct needles *needles, const char *word, size_t len, size_t number)
{
    size_t state = 0;

    for (size_t i = 0; i < len; i++) {
        uint16_t *step = step_of(needles, state, (uint8_t)word[i]);

        if (*step == 0)
            *step = (uint16_t)needles->states++;
        state = *step;
    }
    needles->twin[number] = needles->word[state];
    needles->word[state] = (uint16_t)number;
}

/*
 * Breadth first: what fails in a state goes on where its longest proper suffix would.  `suffix` of a
 * state is known before its children are looked at.
 */
static void close_steps(struct needles *needles)
{
    PS_AUTO(ps_freep) uint16_t *queue = ps_calloc(needles->states, sizeof(*queue));
    PS_AUTO(ps_freep) uint16_t *suffix = ps_calloc(needles->states, sizeof(*suffix));
    size_t head = 0, tail = 1;

    while (head < tail) {
        uint16_t state = queue[head++];
        uint16_t back = suffix[state];

        needles->more[state] = state == 0 ? NONE
                               : needles->word[back] != NONE ? back : needles->more[back];
        needles->ends[state] = needles->word[state] != NONE || needles->more[state] != NONE;
        for (size_t column = 0; column < needles->columns; column++) {
            uint16_t *step = &needles->next[state * needles->columns + column];
            uint16_t other = state == 0 ? 0 : needles->next[back * needles->columns + column];

            if (*step == 0) {
                *step = other;
                continue;
            }
            suffix[*step] = other;
            queue[tail++] = *step;
        }
    }
}

struct needles *needles_new(const char *const *words, const size_t *lens, size_t len)
{
    struct needles *needles = ps_calloc(1, sizeof(*needles));
    size_t room = give_columns(needles, words, lens, len) + 1;

    if (room > NEEDLES_MAX_BYTES || len >= NONE)
        abort();
    needles->next = ps_calloc(room * needles->columns, sizeof(*needles->next));
    needles->word = ps_malloc(room * sizeof(*needles->word));
    needles->more = ps_malloc(room * sizeof(*needles->more));
    needles->twin = ps_malloc((len + 1) * sizeof(*needles->twin));
    needles->ends = ps_calloc(room, sizeof(*needles->ends));
    memset(needles->word, 0xff, room * sizeof(*needles->word));
    needles->states = 1;
    for (size_t i = 0; i < len; i++)
        add_word(needles, words[i], lens[i], i);
    close_steps(needles);
    return needles;
}

static void tell(const struct needles *needles, uint16_t state, size_t end, needles_fn found, void *arg)
{
    if (needles->word[state] == NONE)
        state = needles->more[state];
    for (; state != NONE; state = needles->more[state])
        for (uint16_t word = needles->word[state]; word != NONE; word = needles->twin[word])
            found(arg, word, end);
}

void needles_find(const struct needles *needles, const char *text, size_t len, needles_fn found,
                  void *arg)
{
    uint16_t state = 0;

    for (size_t i = 0; i < len; i++) {
        state = needles->next[state * needles->columns + needles->column[(uint8_t)text[i]]];
        if (needles->ends[state])
            tell(needles, state, i + 1, found, arg);
    }
}
