/*
 * hba_memory.h - files in memory, for the tests of hba and ident: a source over a table of them.
 */
#ifndef TEST_HBA_MEMORY_H
#define TEST_HBA_MEMORY_H

#include "base/mem.h"
#include "pg/hba.h"

struct memory_file {
    const char *path, *text;    /* a table ends with a NULL path */
};

static bool memory_read(void *arg, const char *path, struct buf *out, struct ps_err *err)
{
    for (const struct memory_file *file = arg; file->path; file++)
        if (strcmp(file->path, path) == 0)
            return buf_puts(out, file->text);
    return ps_fail(err, PS_E_NOT_FOUND, "could not open file \"%s\"", path);
}

/* The files of the folder in the order of the table. */
static bool memory_list(void *arg, const char *dir, char ***names, size_t *len, struct ps_err *err)
{
    char **list = NULL;
    size_t count = 0, cap = 0;

    for (const struct memory_file *file = arg; file->path; file++)
        if (strncmp(file->path, dir, strlen(dir)) == 0 && file->path[strlen(dir)] == '/')
            PS_PUSH(list, count, cap) = ps_strdup(file->path);
    if (count == 0)
        return ps_fail(err, PS_E_NOT_FOUND, "could not open directory \"%s\"", dir);
    *names = list;
    *len = count;
    return true;
}

static inline struct pg_source memory_source(const struct memory_file *files)
{
    return (struct pg_source){ (void *)files, memory_read, memory_list };
}

/* A pg_hba.conf of one file. */
static inline struct hba *memory_hba(const char *text, unsigned major)
{
    const struct memory_file files[] = { { "/d/pg_hba.conf", text }, { NULL, NULL } };
    struct pg_source source = memory_source(files);
    struct ps_err err = { 0 };
    struct hba *hba = NULL;

    if (!hba_load(&source, "/d/pg_hba.conf", major, &hba, &err))
        abort();
    return hba;
}

#endif
