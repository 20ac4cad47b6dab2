/*
 * run_corpus.c - run a fuzz target over its seeds without a fuzzer, so that every build does it.
 *
 * Each file of the folder as it is; then cut short at up to EDGES places; then with one byte changed
 * to what parsers stumble over.  A broken promise aborts inside the target.
 */
#include <dirent.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

#define EDGES 200
#define SEED_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Exactly as long as the input, so that a sanitizer sees a read behind its end. */
static void feed(const char *bytes, size_t len)
{
    uint8_t *exact = ps_malloc(len ? len : 1);

    if (len)
        memcpy(exact, bytes, len);
    (void)LLVMFuzzerTestOneInput(exact, len);
    free(exact);
}

static void feed_twins(const struct buf *seed)
{
    static const char nasty[] = { '\0', '\n', '\r', '"', '\'', '\\', '#', ',', '/', '@', '=',
                                  (char)0xff };
    size_t step = seed->len / EDGES + 1;

    for (size_t at = 0; at < seed->len; at += step) {
        char keep = seed->p[at];

        feed(seed->p, at);
        seed->p[at] = nasty[(at / step) % PS_COUNT(nasty)];
        feed(seed->p, seed->len);
        seed->p[at] = keep;
    }
}

static bool run_file(const char *dir, const char *name)
{
    PS_AUTO(ps_freep) char *path = path_join(dir, name);
    PS_AUTO(buf_free) struct buf seed = BUF(SEED_MAX);
    struct ps_err err = { 0 };

    if (!file_read(path, SEED_MAX, &seed, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return false;
    }
    feed(buf_text(&seed), seed.len);
    feed_twins(&seed);
    return true;
}

int main(int argc, char **argv)
{
    size_t files = 0;
    struct dirent **names = NULL;
    int len = argc == 2 ? scandir(argv[1], &names, NULL, alphasort) : -1;
    bool good = true;

    for (int i = 0; i < len; i++) {
        if (names[i]->d_name[0] != '.') {
            good &= run_file(argv[1], names[i]->d_name);
            files++;
        }
        free(names[i]);
    }
    free(names);
    printf("%zu seeds\n", files);
    return good && files > 0 ? 0 : 1;
}
