/*
 * fuzz_hosts.c - any bytes as pg_hosts.conf.  Promises: the bytes come back; each line has a certificate
 * and a key and lies within the file; each of its names finds it, or the default line.
 */
#include "pg/hosts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *at;
    size_t len;
};

static bool read_input(void *arg, const char *path, struct buf *out, struct ps_err *err)
{
    const struct input *input = arg;

    if (strcmp(path, "/m/pg_hosts.conf") != 0)
        return ps_fail(err, PS_E_NOT_FOUND, "no such file");
    buf_put(out, input->at, input->len);
    return true;
}

static bool list_input(void *arg, const char *dir, char ***names, size_t *len, struct ps_err *err)
{
    (void)arg;
    (void)dir;
    (void)names;
    (void)len;
    return ps_fail(err, PS_E_NOT_FOUND, "no such folder");
}

static void check_line(const struct hosts *hosts, const struct hosts_line *line, size_t size)
{
    if (!line->cert || !line->key || line->begin >= line->end || line->end > size)
        abort();
    for (size_t i = 0; i < line->names.len; i++) {
        const char *name = line->names.at[i].text;
        const struct hosts_line *found = hosts_find(hosts, name);

        if (found != line && strcmp(name, "*") != 0 && strcmp(name, "/no_sni/") != 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = { data, size };
    struct pg_source source = { &input, read_input, list_input };
    PS_AUTO(hosts_freep) struct hosts *hosts = NULL;
    PS_AUTO(buf_free) struct buf text = BUF(BUF_TEXT_MAX);
    struct ps_err err = { 0 };

    if (size > 4096)
        return 0;
    if (!hosts_load(&source, "/m/pg_hosts.conf", 19, &hosts, &err))
        abort();
    hosts_write(hosts, &text);
    if (text.len != size || (size > 0 && memcmp(text.p, data, size) != 0))
        abort();
    for (size_t i = 0; i < hosts_lines(hosts); i++)
        check_line(hosts, hosts_line(hosts, i), size);
    return 0;
}
