/*
 * settings_dump.c - the table of settings.h for one major, for comparing it with a real server.
 *
 *     settings_dump MAJOR
 *
 * One line for each setting: name, known (1 or 0), reload is enough (1 or 0), default; by tabs.
 */
#include "base/num.h"
#include "pg/settings.h"

int main(int argc, char **argv)
{
    long major;

    if (argc != 2 || !num_parse(argv[1], 1, 99, &major)) {
        fputs("usage: settings_dump MAJOR\n", stderr);
        return 2;
    }
    for (size_t i = 0; i < pg_settings_count(); i++) {
        const char *name = pg_setting_at(i)->name;
        const char *value = pg_setting_default(name, (unsigned)major);

        printf("%s\t%d\t%d\t%s\n", name, pg_setting_known(name, (unsigned)major),
               pg_setting_reloads(name, (unsigned)major), value ? value : "");
    }
    return 0;
}
