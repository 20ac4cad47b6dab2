/*
 * conf_dump.c - postgresql.conf as conf.h reads it, for comparing it with a real server.
 *
 *     conf_dump POSTGRESQL.CONF [POSTGRESQL.AUTO.CONF]
 *
 * One line for each assignment, "S file line name value", and for each problem, "P file line what":
 * fields by tabs, name and value in hexadecimal.
 */
#include "inspect/inspect.h"
#include "pg/conf.h"

static void put_hex(const char *text, char end)
{
    for (const char *p = text; *p; p++)
        printf("%02x", (unsigned char)*p);
    putchar(end);
}

int main(int argc, char **argv)
{
    PS_AUTO(conf_freep) struct conf *conf = NULL;
    struct ps_err err;

    if (argc < 2 || argc > 3) {
        fputs("usage: conf_dump POSTGRESQL.CONF [POSTGRESQL.AUTO.CONF]\n", stderr);
        return 2;
    }
    if (!conf_load(&inspect_files, argv[1], argv[2], &conf, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 3;
    }
    for (size_t i = 0; i < conf_settings(conf); i++) {
        const struct conf_setting *setting = conf_setting(conf, i);

        printf("S\t%s\t%u\t", setting->at.file, setting->at.line);
        put_hex(setting->name, '\t');
        put_hex(setting->value, '\n');
    }
    for (size_t i = 0; i < conf_problems(conf); i++) {
        const struct conf_problem *problem = conf_problem(conf, i);

        printf("P\t%s\t%u\t%s\n", problem->at.file, problem->at.line, problem->what);
    }
    return 0;
}
