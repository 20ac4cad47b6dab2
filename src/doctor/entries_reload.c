/*
 * entries_reload.c - a reload that was not taken, Windows, and the names of PostgreSQL 19.
 */
#include "doctor/says.h"

const struct doctor_entry doctor_reload_entries[] = {
    {
        .id = "tls-not-reloaded",
        .title = N_("the reload did not take the TLS files: the old ones stay in force"),
        .patterns = SAYS({ "SSL configuration was not reloaded", SAYS_SERVER },
                         { "la configuración SSL no fue vuelta a cargar", SAYS_SERVER, SPANISH }),
        .rank = RANK_AFTERMATH,
        .provoked = true,
        .causes = {
            { N_("The line before this one in the log names the file and the reason."),
              "pgseal check -D DATADIR", N_("Mend the file, reload, and look again: a restart would fail."),
              TEST_NONE } },
        .source = "src/backend/postmaster/postmaster.c, process_pm_reload_request",
    },
    {
        .id = "conf-not-taken",
        .title = N_("postgresql.conf has errors: the reload took nothing or not all of it"),
        .patterns = SAYS({ "configuration file \"{file}\" contains errors", SAYS_SERVER },
                         { "el archivo de configuración «{file}» contiene errores", SAYS_SERVER, SPANISH }),
        .rank = RANK_AFTERMATH,
        .provoked = true,
        .causes = {
            { N_("The lines before this one in the log name the faults."),
              "psql -c 'select * from pg_file_settings where error is not null'",
              N_("Mend the file, and reload."), TEST_NONE } },
        .source = "src/backend/utils/misc/guc.c, ProcessConfigFileInternal",
    },
    {
        .id = "tls-lost-in-child",
        .title = N_("on Windows a connection could not load the TLS files, and goes on without TLS"),
        .patterns = SAYS({ "SSL configuration could not be loaded in child process", SAYS_SERVER },
                         { "No se pudo cargar la configuración SSL en proceso secundario", SAYS_SERVER,
                           SPANISH }),
        .rank = RANK_PRECISE,
        .causes = {
            { N_("The files were replaced by some that cannot be used: each process reads them again there. "
                 "Keys with a passphrase cannot be used on Windows."), NULL,
              N_("Put a good pair back; use hostssl lines, so that nobody comes in without TLS."),
              TEST_SERVER_PAIR } },
        .source = "src/backend/tcop/backend_startup.c, BackendMain",
    },
    {
        .id = "sni-name-unknown",
        .title = N_("the server has no certificate for the name that the client asked for (19, ssl_sni)"),
        .patterns = SAYS({ "alert unrecognized name", SAYS_OPENSSL },
                         { "Received fatal alert: unrecognized_name", SAYS_JDBC },
                         { "tls: unrecognized name", SAYS_GO },
                         { ACCEPT "callback failed", SAYS_SERVER, 19 }),
        .rank = RANK_PRECISE,
        .causes = {
            { N_("pg_hosts.conf has neither the name nor a line for \"*\"."), "cat pg_hosts.conf",
              N_("Add the name, and reload."), TEST_NONE } },
        .source = "src/backend/libpq/be-secure-openssl.c, sni_clienthello_cb",
    },
    {
        .id = "sni-name-missing",
        .title = N_("a client sent no name, and pg_hosts.conf has no line for that (19, ssl_sni)"),
        .patterns = SAYS({ "no hostname provided in callback, and no fallback configured", SAYS_SERVER, 19 }),
        .rank = RANK_PRECISE,
        .causes = {
            { N_("The client connects by an address, or with sslsni=0."), "cat pg_hosts.conf",
              N_("Add a line for /no_sni/ or \"*\", and reload."), TEST_NONE } },
        .source = "src/backend/libpq/be-secure-openssl.c, sni_clienthello_cb",
    },
    { .id = NULL }
};
