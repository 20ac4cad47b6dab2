/* mem.c - see mem.h. */
#include "base/mem.h"

#include <stdalign.h>
#include <unistd.h>

#include "base/err.h"

static _Noreturn void out_of_memory(void)
{
    static const char text[] = "pgseal: out of memory\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);

    (void)ignored;
    _exit(PS_EXIT_BUG);
}

static void *check(void *p)
{
    if (!p)
        out_of_memory();
    return p;
}

void *ps_malloc(size_t size)
{
    return check(malloc(size ? size : 1));
}

void *ps_calloc(size_t count, size_t size)
{
    return check(calloc(count ? count : 1, size ? size : 1));
}

void *ps_realloc_array(void *p, size_t count, size_t size)
{
    return check(reallocarray(p, count ? count : 1, size ? size : 1));
}

char *ps_strdup(const char *text)
{
    return check(strdup(text));
}

char *ps_strndup(const char *text, size_t len)
{
    return check(strndup(text, len));
}

void *ps_memdup(const void *bytes, size_t len)
{
    void *copy = ps_malloc(len);

    if (len)
        memcpy(copy, bytes, len);
    return copy;
}

char *ps_vasprintf(const char *fmt, va_list args)
{
    char *text = NULL;

    if (vasprintf(&text, fmt, args) < 0)
        out_of_memory();
    return text;
}

char *ps_asprintf(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    char *text = ps_vasprintf(fmt, args);
    va_end(args);
    return text;
}

void ps_freep(void *p)
{
    void **var = p;

    free(*var);
    *var = NULL;
}

void *ps_grow(void *list, size_t need, size_t *cap, size_t size)
{
    if (need <= *cap)
        return list;

    size_t bigger = *cap ? *cap : 8;
    while (bigger < need) {
        if (bigger > SIZE_MAX / 2)
            out_of_memory();
        bigger *= 2;
    }
    list = ps_realloc_array(list, bigger, size);
    *cap = bigger;
    return list;
}

/* ---- the arena: a list of blocks, the newest first ---- */

enum { BLOCK_BYTES = 16 * 1024 };

struct block {
    struct block *older;
    size_t used, size;
    alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct block *newest;
};

struct arena *arena_new(void)
{
    return ps_calloc(1, sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    for (struct block *block = arena->newest, *older; block; block = older) {
        older = block->older;
        free(block);
    }
    free(arena);
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t step = alignof(max_align_t);

    if (size > SIZE_MAX - step - sizeof(struct block))
        out_of_memory();
    size = (size + step - 1) / step * step;

    struct block *block = arena->newest;
    if (!block || block->size - block->used < size) {
        size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;

        block = ps_calloc(1, sizeof(*block) + room);
        block->size = room;
        block->older = arena->newest;
        arena->newest = block;
    }

    void *p = block->bytes + block->used;
    block->used += size;
    return p;
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
    char *copy = arena_alloc(arena, len + 1);

    if (len)
        memcpy(copy, text, len);
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
    va_list args, again;

    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0)
        out_of_memory();

    char *text = arena_alloc(arena, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, fmt, again);
    va_end(again);
    return text;
}
