/*
 * entries_hba.c - pg_hba.conf decides against the client, or cannot be loaded.
 *
 * Source: src/backend/libpq/auth.c (ClientAuthentication, auth_failed) and hba.c (parse_hba_line).
 */
#include "doctor/says.h"

#define ASK(tls) "pgseal check -D DATADIR --ask \"role={role} db={database} from={address} tls=" tls "\""
#define NO_ENTRY "no pg_hba.conf entry for host \"{address}\", user \"{role}\", database \"{database}\", "
#define NO_ENTRY_ES "no hay una línea en pg_hba.conf para «{address}», usuario «{role}», base de datos " \
                    "«{database}», "
#define NO_REPLICATION "no pg_hba.conf entry for replication connection from host \"{address}\", " \
                       "user \"{role}\", "
#define NO_REPLICATION_ES "no hay una línea en pg_hba.conf para la conexión de replicación desde el " \
                          "servidor «{address}», usuario «{role}», "

#define REJECTS "pg_hba.conf rejects connection for host \"{address}\", user \"{role}\", database \"{database}\""
#define REJECTS_REPLICATION "pg_hba.conf rejects replication connection for host \"{address}\", user \"{role}\""
#define REJECTS_ES "pg_hba.conf rechaza la conexión para el servidor «{address}», usuario «{role}», base de datos " \
                   "«{database}»"
#define REJECTS_REPLICATION_ES "pg_hba.conf rechaza la conexión de replicación para el servidor «{address}», " \
                               "usuario «{role}»"

const struct doctor_entry doctor_hba_entries[] = {
    {
        .id = "hba-no-entry-plaintext",
        .title = N_("no line of pg_hba.conf lets this role in from there without encryption"),
        .patterns = SAYS({ NO_ENTRY "no encryption", SAYS_SERVER, 14 }, { NO_ENTRY "SSL off", SAYS_SERVER, 0,
                           13 },
                         { NO_ENTRY_ES "sin cifrado", SAYS_SERVER, 14, 0, "es" },
                         { NO_ENTRY_ES "SSL inactivo", SAYS_SERVER, 0, 13, "es" },
                         { NO_ENTRY_ES "SSL off", SAYS_SERVER, 0, 13, "es" },
                         { NO_REPLICATION "no encryption", SAYS_SERVER, 14 },
                         { NO_REPLICATION "SSL off", SAYS_SERVER, 0, 13 },
                         { NO_REPLICATION_ES "sin cifrado", SAYS_SERVER, 14, 0, "es" }),
        .sqlstate = "28000",
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("The lines are hostssl, and the client came in plaintext: its sslmode is disable, or its "
                 "driver does not try TLS, or fell back after a TLS error."), ASK("no"),
              N_("Use sslmode=verify-full in the client; do not open the line for plaintext."),
              TEST_HBA_WANTS_TLS },
            { N_("No line at all fits the role, database and address."), ASK("yes"),
              N_("Add a hostssl line for them, and reload."), TEST_HBA_NOWHERE } },
        .source = "src/backend/libpq/auth.c, ClientAuthentication",
    },
    {
        .id = "hba-no-entry-tls",
        .title = N_("no line of pg_hba.conf lets this role in from there, even with TLS"),
        .patterns = SAYS({ NO_ENTRY "SSL encryption", SAYS_SERVER, 14 },
                         { NO_ENTRY "SSL on", SAYS_SERVER, 0, 13 },
                         { NO_ENTRY_ES "cifrado SSL", SAYS_SERVER, 14, 0, "es" },
                         { NO_ENTRY_ES "SSL activo", SAYS_SERVER, 0, 13, "es" },
                         { NO_ENTRY_ES "SSL on", SAYS_SERVER, 0, 13, "es" },
                         { NO_REPLICATION "SSL encryption", SAYS_SERVER, 14 },
                         { NO_REPLICATION "SSL on", SAYS_SERVER, 0, 13 },
                         { NO_REPLICATION_ES "cifrado SSL", SAYS_SERVER, 14, 0, "es" },
                         { NO_ENTRY "GSS encryption", SAYS_SERVER, 12 }),
        .sqlstate = "28000",
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("No line fits the role, database and address. \"all\" does not cover replication, and 0.0.0.0/0 "
                 "does not cover IPv6."), ASK("yes"), N_("Add a hostssl line for them, and reload."),
              TEST_HBA_LINE },
            { N_("The line is there, and the file was not reloaded, or not taken because of a fault in another "
                 "line."), "psql -c 'select * from pg_hba_file_rules where error is not null'",
              N_("Mend the file and reload: pgseal check -D DATADIR."), TEST_HBA_FILE } },
        .source = "src/backend/libpq/auth.c, ClientAuthentication",
    },
    {
        .id = "hba-no-entry",
        .title = N_("no line of pg_hba.conf lets this role in from there"),
        .patterns = SAYS({ "no pg_hba.conf entry for host \"{address}\", user \"{role}\", database "
                           "\"{database}\"", SAYS_SERVER },
                         { "no pg_hba.conf entry for ", SAYS_SERVER },
                         { "no hay una línea en pg_hba.conf para ", SAYS_SERVER, SPANISH }),
        .sqlstate = "28000",
        .rank = RANK_GENERAL,
        .causes = {
            { N_("No line fits the type of connection, database, role and address."), ASK("yes"),
              N_("Add a line for them, and reload."), TEST_HBA_LINE } },
        .source = "src/backend/libpq/auth.c, ClientAuthentication",
    },
    {
        .id = "hba-rejects",
        .title = N_("a line of pg_hba.conf with the method reject decides"),
        .patterns = SAYS({ REJECTS, SAYS_SERVER }, { REJECTS ", no encryption", SAYS_SERVER, 14 },
                         { REJECTS ", SSL off", SAYS_SERVER, 0, 13 },
                         { REJECTS_REPLICATION, SAYS_SERVER },
                         { REJECTS_REPLICATION ", no encryption", SAYS_SERVER, 14 },
                         { REJECTS_REPLICATION ", SSL off", SAYS_SERVER, 0, 13 },
                         { REJECTS_ES, SAYS_SERVER, SPANISH },
                         { REJECTS_ES ", sin cifrado", SAYS_SERVER, 14, 0, "es" },
                         { REJECTS_ES ", SSL inactivo", SAYS_SERVER, 0, 13, "es" },
                         { REJECTS_REPLICATION_ES, SAYS_SERVER, SPANISH },
                         { REJECTS_REPLICATION_ES ", sin cifrado", SAYS_SERVER, 14, 0, "es" }),
        .sqlstate = "28000",
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("The first line that fits says reject: meant, such as for plaintext (hostnossl ... reject), "
                 "or it stands above the line that should decide."), ASK("yes"),
              N_("Come with TLS, or put the right line above it."), TEST_HBA_LINE } },
        .source = "src/backend/libpq/auth.c, ClientAuthentication",
    },
    {
        .id = "password-failed",
        .title = N_("the password is wrong, or stored in a way that this line cannot use"),
        .patterns = SAYS({ "password authentication failed for user \"{role}\"", SAYS_SERVER },
                         { "la autentificación password falló para el usuario «{role}»", SAYS_SERVER,
                           SPANISH },
                         { "User \"{role}\" does not have a valid SCRAM secret", SAYS_SERVER },
                         { "El usuario «{role}» no tiene un secreto SCRAM válido", SAYS_SERVER, SPANISH },
                         { "User \"{role}\" has no password assigned", SAYS_SERVER },
                         { "El usuario «{role}» no tiene una contraseña asignada", SAYS_SERVER, SPANISH }),
        .sqlstate = "28P01",
        .rank = RANK_GENERAL,
        .provoked = true,
        .causes = {
            { N_("The password is wrong, or the role has none."), NULL,
              N_("Set it: \\password ROLE in psql."), TEST_NONE },
            { N_("It is stored as md5, and the line wants scram-sha-256."),
              "psql -c \"select rolname, left(rolpassword, 5) from pg_authid\"",
              N_("Set it again with password_encryption = scram-sha-256."), TEST_NONE },
            { N_("clientcert=verify-full, and the certificate's CN is not the role: the client is told of "
                 "the password."), "grep verify-full pg_hba.conf",
              N_("Look for \"CN mismatch\" in the server's log."), TEST_HBA_LINE } },
        .source = "src/backend/libpq/auth.c, auth_failed",
    },
    {
        .id = "authentication-failed",
        .title = N_("the method of the line refused the role"),
        .patterns = SAYS({ "\"trust\" authentication failed for user \"{role}\"", SAYS_SERVER },
                         { "la autentificación «trust» falló para el usuario «{role}»", SAYS_SERVER,
                           SPANISH },
                         { "Peer authentication failed for user \"{role}\"", SAYS_SERVER },
                         { "la autentificación Peer falló para el usuario «{role}»", SAYS_SERVER,
                           SPANISH },
                         { "Ident authentication failed for user \"{role}\"", SAYS_SERVER },
                         { "la autentificación Ident falló para el usuario «{role}»", SAYS_SERVER, SPANISH },
                         { "GSSAPI authentication failed for user \"{role}\"", SAYS_SERVER },
                         { "LDAP authentication failed for user \"{role}\"", SAYS_SERVER }),
        .sqlstate = "28000",
        .rank = RANK_GENERAL,
        .provoked = true,
        .causes = {
            { N_("\"trust\" fails only through clientcert=verify-full: the CN of the certificate is not the "
                 "role. The server's log says so."), "grep verify-full pg_hba.conf",
              N_("Use a certificate for that role."), TEST_HBA_LINE },
            { N_("peer and ident: the name of the user of the operating system is not the role, and no map "
                 "translates it."), "id -un", N_("Connect over TCP, or write a map."), TEST_NONE } },
        .source = "src/backend/libpq/auth.c, auth_failed",
    },
    {
        .id = "hostssl-without-ssl",
        .title = N_("hostssl lines while ssl is off: they never match"),
        .patterns = SAYS({ "hostssl record cannot match because SSL is disabled", SAYS_SERVER },
                         { "el registro hostssl no puede coincidir porque SSL está deshabilitado",
                           SAYS_SERVER, SPANISH },
                         { "hostssl record cannot match because SSL is not supported by this build",
                           SAYS_SERVER },
                         { "el registro hostssl no puede coincidir porque SSL no está soportado",
                           SAYS_SERVER, SPANISH }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("pg_hba.conf was hardened before TLS was switched on; who should come in through these "
                 "lines cannot."), "psql -c 'show ssl'", N_("Run: pgseal secure -D DATADIR"),
              TEST_SSL_OFF } },
        .source = "src/backend/libpq/hba.c, parse_hba_line",
    },
    {
        .id = "clientcert-invalid",
        .title = N_("clientcert has a value that this version refuses, and the whole pg_hba.conf with it"),
        .patterns = SAYS({ "invalid value for clientcert: \"{value}\"", SAYS_SERVER, 12 },
                         { "valor no válido para el parámetro clientcert: «{value}»", SAYS_SERVER, 12, 0,
                           "es" },
                         { "clientcert only accepts \"verify-full\" when using \"cert\" authentication",
                           SAYS_SERVER, 14 },
                         { "clientcert solo acepta «verify-full» cuando se emplea autentificación «cert»",
                           SAYS_SERVER, 14, 0, "es" },
                         { "clientcert can not be set to \"no-verify\" when using \"cert\" authentication",
                           SAYS_SERVER, 12, 13 }),
        .sqlstate = "F0000",
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("clientcert=1, 0 or no-verify, which 13 took and 14 does not: the guides of the time copy "
                 "them. At a reload the old rules stay; at a start the server does not come up."),
              "grep -n clientcert pg_hba.conf",
              N_("Write clientcert=verify-ca or verify-full; with method cert leave it out."),
              TEST_HBA_FILE } },
        .source = "src/backend/libpq/hba.c, parse_hba_auth_opt; 253f1025da",
    },
    {
        .id = "hba-cert-needs-hostssl",
        .title = N_("an option or method for certificates stands on a line that is not hostssl"),
        .patterns = SAYS({ "clientcert can only be configured for \"hostssl\" rows", SAYS_SERVER },
                         { "clientcert sólo puede ser configurado en líneas «hostssl»", SAYS_SERVER,
                           SPANISH },
                         { "clientname can only be configured for \"hostssl\" rows", SAYS_SERVER, 14 },
                         { "clientname solo puede ser configurado en líneas «hostssl»", SAYS_SERVER, 14, 0,
                           "es" },
                         { "cert authentication is only supported on hostssl connections", SAYS_SERVER },
                         { "la autentificación cert sólo está soportada en conexiones hostssl", SAYS_SERVER,
                           SPANISH }),
        .sqlstate = "F0000",
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("The line begins with host or local: plaintext has no certificates."),
              "sed -n {line}p pg_hba.conf", N_("Write hostssl."), TEST_HBA_FILE } },
        .source = "src/backend/libpq/hba.c, parse_hba_line",
    },
    {
        .id = "hba-line-invalid",
        .title = N_("a line of pg_hba.conf cannot be read, and the whole file is not taken"),
        .patterns = SAYS({ "invalid connection type \"{value}\"", SAYS_SERVER },
                         { "tipo de conexión «{value}» no válido", SAYS_SERVER, SPANISH },
                         { "invalid authentication method \"{value}\"", SAYS_SERVER },
                         { "método de autentificación «{value}» no válido", SAYS_SERVER, SPANISH },
                         { "authentication option not in name=value format: ", SAYS_SERVER },
                         { "opción de autentificación en formato nombre=valor: ", SAYS_SERVER, SPANISH },
                         { "unrecognized authentication option name: \"{value}\"", SAYS_SERVER },
                         { "nombre de opción de autentificación desconocido: «{value}»", SAYS_SERVER,
                           SPANISH },
                         { "authentication option \"{value}\" is only valid for authentication methods ",
                           SAYS_SERVER },
                         { "la opción de autentificación «{value}» sólo es válida para los métodos de "
                           "autentificación ", SAYS_SERVER, SPANISH },
                         { "end-of-line before authentication method", SAYS_SERVER },
                         { "fin de línea antes de especificación de método de autentificación", SAYS_SERVER,
                           SPANISH },
                         { "end-of-line before ", SAYS_SERVER },
                         { "invalid IP address \"{value}\"", SAYS_SERVER },
                         { "invalid CIDR mask in address \"{value}\"", SAYS_SERVER }),
        .sqlstate = "F0000",
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("A slip, or a word of a newer version: hostgssenc needs 12, clientname 14, include lines and "
                 "regular expressions 16, oauth 18; radius is gone in 19."), "sed -n {line}p pg_hba.conf",
              N_("Mend the line; pgseal check -D DATADIR shows the spot and foresees the reload."),
              TEST_HBA_FILE } },
        .source = "src/backend/libpq/hba.c, parse_hba_line",
    },
    {
        .id = "hba-not-loaded",
        .title = N_("pg_hba.conf was not taken: a fault in one line keeps the whole file out"),
        .patterns = SAYS({ "could not load pg_hba.conf", SAYS_SERVER },
                         { "no se pudo cargar pg_hba.conf", SAYS_SERVER, SPANISH },
                         { "could not load {file}pg_hba.conf", SAYS_SERVER },
                         { "pg_hba.conf was not reloaded", SAYS_SERVER },
                         { "pg_hba.conf no fue vuelto a cargar", SAYS_SERVER, SPANISH },
                         { "contains no entries", SAYS_SERVER }),
        .rank = RANK_AFTERMATH,
        .provoked = true,
        .causes = {
            { N_("The lines before this one in the log name the fault. At a reload the old rules stay in force, "
                 "at a start the server does not come up."), "pgseal check -D DATADIR",
              N_("Mend the line, and reload."), TEST_HBA_FILE } },
        .source = "src/backend/postmaster/postmaster.c; src/backend/libpq/hba.c, load_hba",
    },
    {
        .id = "hba-host-name-unresolved",
        .title = N_("a host name in pg_hba.conf does not resolve back to the client's address"),
        .patterns = SAYS({ "pg_hba.conf host name \"{host}\" rejected because address resolution did not return "
                           "a match with IP address of client", SAYS_SERVER },
                         { "Client IP address resolved to \"{host}\", forward lookup not checked",
                           SAYS_SERVER },
                         { "Could not resolve client IP address to a host name", SAYS_SERVER }),
        .rank = RANK_AFTERMATH,
        .causes = {
            { N_("Names in pg_hba.conf need DNS in both directions, for each connection."),
              "getent hosts {address}", N_("Write addresses."), TEST_NONE } },
        .source = "src/backend/libpq/hba.c, check_hostname; auth.c, HOSTNAME_LOOKUP_DETAIL",
    },
    {
        .id = "role-missing",
        .title = N_("the role does not exist"),
        .patterns = SAYS({ "role \"{role}\" does not exist", SAYS_SERVER },
                         { "no existe el rol «{role}»", SAYS_SERVER, SPANISH },
                         { "role \"{role}\" is not permitted to log in", SAYS_SERVER },
                         { "al rol «{role}» no se le permite conectarse", SAYS_SERVER, SPANISH }),
        .sqlstate = "28000",
        .rank = RANK_GENERAL,
        .provoked = true,
        .causes = {
            { N_("user= is missing in the connection string, so the name of the operating system's user is "
                 "taken; or the CN has capitals and the role was created without quotes."),
              "psql -c '\\du'", N_("Give user=, or create the role with the very name."), TEST_NONE } },
        .source = "src/backend/utils/init/miscinit.c, InitializeSessionUserId",
    },
    { .id = NULL }
};
