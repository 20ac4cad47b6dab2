/*
 * hba_dump.c - how we read a pg_hba.conf or a pg_ident.conf: one JSON object for each line that is
 * taken and each problem.
 *
 *     hba_dump hba|ident MAJOR FILE
 *
 * The keys are the columns of pg_hba_file_rules and pg_ident_file_mappings, so that a test can compare
 * the two.
 */
#include <arpa/inet.h>

#include "base/mem.h"
#include "base/num.h"
#include "inspect/inspect.h"
#include "pg/hba.h"
#include "pg/ident.h"

static void put_string(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < 0x20)
            printf("\\u%04x", c);
        else
            printf("%s%c", c == '"' || c == '\\' ? "\\" : "", c);
    }
    putchar('"');
}

static void put_key(const char *key, const char *value)
{
    printf(", \"%s\": ", key);
    if (value)
        put_string(value);
    else
        printf("null");
}

static void put_list(const char *key, const struct hba_field *field)
{
    printf(", \"%s\": [", key);
    for (size_t i = 0; i < field->len; i++) {
        printf("%s", i ? ", " : "");
        put_string(field->at[i].text);
    }
    putchar(']');
}

static void put_address(const struct hba_addr *addr)
{
    static const char *const words[] = { [HBA_ADDR_ALL] = "all", [HBA_ADDR_SAMEHOST] = "samehost",
                                         [HBA_ADDR_SAMENET] = "samenet" };
    char net[INET6_ADDRSTRLEN], mask[INET6_ADDRSTRLEN];

    if (addr->kind == HBA_ADDR_NET) {
        put_key("address", inet_ntop(addr->family, addr->net, net, sizeof(net)));
        put_key("netmask", inet_ntop(addr->family, addr->mask, mask, sizeof(mask)));
        return;
    }
    put_key("address", addr->kind == HBA_ADDR_NAME ? addr->name
                       : addr->kind == HBA_ADDR_NONE ? NULL : words[addr->kind]);
    put_key("netmask", NULL);
}

static void put_rule(const struct hba *hba, const struct hba_rule *rule)
{
    static const char *const clientcerts[] = { [HBA_CERT_NONE] = NULL, [HBA_CERT_CA] = "verify-ca",
                                               [HBA_CERT_FULL] = "verify-full" };

    printf("{\"line_number\": %u", rule->line);
    put_key("file_name", rule->file);
    put_key("type", hba_type_name(rule->type));
    put_list("database", &rule->databases);
    put_list("user_name", &rule->users);
    put_address(&rule->addr);
    put_key("auth_method", rule->method);
    put_key("map", hba_option(rule, "map"));
    put_key("clientcert", clientcerts[hba_clientcert(hba, rule)]);
    printf("}\n");
}

static void put_problem(const struct hba_problem *problem)
{
    printf("{\"line_number\": %u, \"column\": %u", problem->line, problem->column);
    put_key("file_name", problem->file);
    put_key("error", problem->what);
    put_key("hint", problem->hint);
    printf("}\n");
}

static bool dump_hba(const char *path, unsigned major, struct ps_err *err)
{
    PS_AUTO(hba_freep) struct hba *hba = NULL;

    if (!hba_load(&inspect_files, path, major, &hba, err))
        return false;
    for (size_t i = 0; i < hba_rules(hba); i++)
        put_rule(hba, hba_rule(hba, i));
    for (size_t i = 0; i < hba_problems(hba); i++)
        put_problem(hba_problem(hba, i));
    return true;
}

static bool dump_ident(const char *path, unsigned major, struct ps_err *err)
{
    PS_AUTO(ident_freep) struct ident *ident = NULL;

    if (!ident_load(&inspect_files, path, major, &ident, err))
        return false;
    for (size_t i = 0; i < ident_lines(ident); i++) {
        const struct ident_line *line = ident_line(ident, i);

        printf("{\"line_number\": %u", line->line);
        put_key("file_name", line->file);
        put_key("map_name", line->map);
        put_key("sys_name", line->system_user);
        put_key("pg_username", line->role);
        printf("}\n");
    }
    for (size_t i = 0; i < ident_problems(ident); i++)
        put_problem(ident_problem(ident, i));
    return true;
}

int main(int argc, char **argv)
{
    struct ps_err err = { 0 };
    long major;

    if (argc != 4 || !num_parse(argv[2], 10, 99, &major)) {
        fprintf(stderr, "usage: hba_dump hba|ident MAJOR FILE\n");
        return 2;
    }

    bool (*dump)(const char *, unsigned, struct ps_err *) =
        strcmp(argv[1], "ident") == 0 ? dump_ident : dump_hba;
    if (!dump(argv[3], (unsigned)major, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 3;
    }
    return 0;
}
