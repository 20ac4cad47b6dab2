/*
 * mem.h - memory that is there or the program ends, growing arrays, and the arena.
 *
 * A tool that has no memory left cannot say anything useful: these functions print one line and exit
 * with 70.  What a stranger can grow is bounded by its module before it comes here.
 */
#ifndef PS_MEM_H
#define PS_MEM_H

#include <stdarg.h>

#include "base/defs.h"

void *ps_malloc(size_t size) __attribute__((malloc, returns_nonnull));
void *ps_calloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *ps_realloc_array(void *p, size_t count, size_t size) __attribute__((returns_nonnull));
char *ps_strdup(const char *text) __attribute__((malloc, returns_nonnull));
char *ps_strndup(const char *text, size_t len) __attribute__((malloc, returns_nonnull));
void *ps_memdup(const void *bytes, size_t len) __attribute__((malloc, returns_nonnull));
char *ps_asprintf(const char *fmt, ...) PS_PRINTF(1, 2) __attribute__((malloc, returns_nonnull));
char *ps_vasprintf(const char *fmt, va_list args) __attribute__((malloc, returns_nonnull));

/* For PS_AUTO: PS_AUTO(ps_freep) char *path = NULL; */
void ps_freep(void *p);

/*
 * A growing array: `PS_PUSH(list, len, cap) = value;` makes room for one more and gives the new last
 * element.  The caller frees `list`.
 */
#define PS_PUSH(list, len, cap) \
    (*((list) = ps_grow((list), (len) + 1, &(cap), sizeof(*(list))), &(list)[(len)++]))
void *ps_grow(void *list, size_t need, size_t *cap, size_t size);

/*
 * Arena: everything of one run or one parsed file, freed at once.  Nothing in it is freed alone.
 */
struct arena;
struct arena *arena_new(void);
void arena_free(struct arena *arena);       /* NULL is fine */
PS_DEFINE_FREEP(struct arena, arena_free)
void *arena_alloc(struct arena *arena, size_t size);    /* zeroed, aligned for anything */
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *fmt, ...) PS_PRINTF(2, 3);

#endif
