/*
 * entries_server.c - the server does not start, or at a reload keeps its old TLS, because of a file.
 *
 * The same words are FATAL at a start and LOG at a reload.  Source: src/backend/libpq/be-secure-openssl.c
 * (be_tls_init) and be-secure-common.c.
 */
#include "doctor/says.h"

const struct doctor_entry doctor_server_entries[] = {
    {
        .id = "server-cert-missing",
        .title = N_("the server's certificate file is not there or cannot be opened"),
        .patterns = SAYS({ "could not load server certificate file \"{file}\": No such file or directory",
                           SAYS_SERVER },
                         { "no se pudo cargar el archivo de certificado de servidor «{file}»: No such file "
                           "or directory", SAYS_SERVER, SPANISH },
                         { "no se pudo cargar el archivo de certificado de servidor «{file}»: No existe el "
                           "fichero o el directorio", SAYS_SERVER, SPANISH },
                         { "no se pudo cargar el archivo de certificado de servidor «{file}»: Permiso "
                           "denegado", SAYS_SERVER, SPANISH },
                         { "could not load server certificate file \"{file}\": Permission denied",
                           SAYS_SERVER },
                         { "no se pudo cargar el archivo de certificado de servidor «{file}»: Permission "
                           "denied", SAYS_SERVER, SPANISH },
                         { "could not load server certificate file \"{file}\": system lib", SAYS_SERVER },
                         { "no se pudo cargar el archivo de certificado de servidor «{file}»: system lib",
                           SAYS_SERVER, SPANISH }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("ssl is on, and ssl_cert_file names a file that is not there; relative names begin in the "
                 "data directory."), "ls -l {file}",
              N_("Install certificate and key: pgseal secure -D DATADIR."), TEST_SERVER_CERT_FILE } },
        .source = "src/backend/libpq/be-secure-openssl.c, be_tls_init",
    },
    {
        .id = "server-cert-not-pem",
        .title = N_("the server's certificate file is not a PEM certificate"),
        .patterns = SAYS({ "could not load server certificate file \"{file}\": no start line", SAYS_SERVER },
                         { "no se pudo cargar el archivo de certificado de servidor «{file}»: no start line",
                           SAYS_SERVER, SPANISH },
                         { "could not load server certificate file \"{file}\": {reason}", SAYS_SERVER },
                         { "no se pudo cargar el archivo de certificado de servidor «{file}»: {reason}",
                           SAYS_SERVER, SPANISH }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("It is DER, PKCS#12, a key, or empty."), "head -1 {file}",
              N_("Convert it: openssl x509 -inform DER -in FILE -out server.crt"),
              TEST_SERVER_CERT_FILE } },
        .source = "src/backend/libpq/be-secure-openssl.c, be_tls_init",
    },
    {
        .id = "server-own-cert-weak",
        .title = N_("the server's own certificate is too weak for its OpenSSL"),
        .patterns = SAYS({ "could not load server certificate file \"{file}\": ee key too small",
                           SAYS_SERVER },
                         { "no se pudo cargar el archivo de certificado de servidor «{file}»: ee key too "
                           "small", SAYS_SERVER, SPANISH },
                         { "could not load server certificate file \"{file}\": ca md too weak",
                           SAYS_SERVER },
                         { "no se pudo cargar el archivo de certificado de servidor «{file}»: ca md too weak",
                           SAYS_SERVER, SPANISH },
                         { "could not load server certificate file \"{file}\": ca key too small",
                           SAYS_SERVER },
                         { "ee key too small", SAYS_OPENSSL }, { "ca md too weak", SAYS_OPENSSL }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("RSA below 2048 bits, or a signature with SHA-1; often after an upgrade of the system, whose "
                 "OpenSSL is at security level 2."),
              "openssl x509 -in {file} -noout -text | grep -E 'Public-Key|Signature Algorithm'",
              N_("Issue it again: pgseal rotate."), TEST_SERVER_CERT_WEAK } },
        .source = "OpenSSL ssl/ssl_cert.c, ssl_security_cert",
    },
    {
        .id = "server-key-mode",
        .title = N_("the server's key can be read by others"),
        .patterns = SAYS({ "private key file \"{file}\" has group or world access", SAYS_SERVER },
                         { "el archivo de la llave privada «{file}» tiene acceso para el grupo u otros",
                           SAYS_SERVER, SPANISH }),
        .sqlstate = "F0000",
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("Its mode is wider than 0600, or 0640 when root owns it; links are followed."),
              "stat -L {file}", N_("Run: chmod 0600 FILE"), TEST_KEY_MODE } },
        .source = "src/backend/libpq/be-secure-common.c, check_ssl_key_file_permissions",
    },
    {
        .id = "server-key-owner",
        .title = N_("the server's key belongs to somebody else"),
        .patterns = SAYS({ "private key file \"{file}\" must be owned by the database user or root",
                           SAYS_SERVER },
                         { "el archivo de llave privada «{file}» debe ser de propiedad del usuario de base "
                           "de datos o root", SAYS_SERVER, SPANISH }),
        .sqlstate = "F0000",
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("It must be the server's user's or root's, even if the server could read it otherwise."),
              "stat -L {file}", N_("Run: chown postgres FILE"), TEST_KEY_MODE } },
        .source = "src/backend/libpq/be-secure-common.c, check_ssl_key_file_permissions",
    },
    {
        .id = "server-key-missing",
        .title = N_("the server's key file is not there or cannot be opened"),
        .patterns = SAYS({ "could not access private key file \"{file}\": {reason}", SAYS_SERVER },
                         { "no se pudo acceder al archivo de la llave privada «{file}»: {reason}",
                           SAYS_SERVER, SPANISH }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("ssl_key_file names a file that is not there, or a folder on its way is closed to the "
                 "server."), "namei -l {file}",
              N_("Install the key where the server may read it: 0600, its own."), TEST_KEY_FILE } },
        .source = "src/backend/libpq/be-secure-common.c, check_ssl_key_file_permissions",
    },
    {
        .id = "passphrase-command-failed",
        .title = N_("ssl_passphrase_command failed"),
        .patterns = SAYS({ "command \"{command}\" failed", SAYS_SERVER },
                         { "la orden «{command}» falló", SAYS_SERVER, SPANISH },
                         { "could not execute command \"{command}\": {reason}", SAYS_SERVER }),
        .rank = RANK_GENERAL,
        .provoked = true,
        .causes = {
            { N_("The command is not there, or ends with another status than 0; it runs as the server's "
                 "user, without a terminal."), "setpriv --reuid=postgres sh -c '{command}'",
              N_("Mend the command; test it as the server's user."), TEST_KEY_ENCRYPTED } },
        .source = "src/backend/libpq/be-secure-common.c, run_ssl_passphrase_command",
    },
    {
        .id = "passphrase-blocks-reload",
        .title = N_("the key has a passphrase, so that no reload takes new certificates or CRLs"),
        .patterns = SAYS({ "private key file \"{file}\" cannot be reloaded because it requires a passphrase",
                           SAYS_SERVER, 11 },
                         { "el archivo de clave privada \"{file}\" no se puede volver a cargar porque "
                           "requiere una contraseña", SAYS_SERVER, 11, 0, "es" }),
        .sqlstate = "F0000",
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("ssl_passphrase_command_supports_reload is off: all of TLS stays as it was, revocations "
                 "included."), "psql -c 'show ssl_passphrase_command_supports_reload'",
              N_("Switch it on, with a command that needs no terminal."), TEST_KEY_ENCRYPTED } },
        .source = "src/backend/libpq/be-secure-openssl.c, be_tls_init",
    },
    {
        .id = "ca-file-unusable",
        .title = N_("ssl_ca_file cannot be loaded"),
        .patterns = SAYS({ "could not load root certificate file \"{file}\": {reason}", SAYS_SERVER },
                         { "no se pudo cargar el archivo del certificado raíz «{file}»: {reason}",
                           SAYS_SERVER, SPANISH }),
        .sqlstate = "F0000",
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("The file is not there, is not PEM, or the server may not read it."), "ls -l {file}",
              N_("Put the root CA of the clients there, as PEM."), TEST_CA_FILE } },
        .source = "src/backend/libpq/be-secure-openssl.c, be_tls_init",
    },
    {
        .id = "crl-file-unusable",
        .title = N_("ssl_crl_file or ssl_crl_dir cannot be loaded"),
        .patterns = SAYS({ "could not load SSL certificate revocation list file \"{file}\": {reason}",
                           SAYS_SERVER },
                         { "no se pudo cargar el archivo de lista de revocación de certificados SSL "
                           "«{file}»: {reason}", SAYS_SERVER, SPANISH },
                         { "could not load SSL certificate revocation list directory \"{file}\": {reason}",
                           SAYS_SERVER, 14 },
                         { "could not load SSL certificate revocation list file \"{file}\" or directory",
                           SAYS_SERVER, 14 },
                         { "no se pudo cargar el archivo de lista de revocación de certificados SSL "
                           "«{file}» o directorio", SAYS_SERVER, 14, 0, "es" }),
        .sqlstate = "F0000",
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("The file is not there, is DER instead of PEM, or the server may not read it."),
              "head -1 {file}", N_("Convert it: openssl crl -inform DER -in FILE -out root.crl"),
              TEST_CRL_FILE } },
        .source = "src/backend/libpq/be-secure-openssl.c, be_tls_init",
    },
    {
        .id = "ciphers-not-known",
        .title = N_("ssl_ciphers or ssl_tls13_ciphers names nothing that this OpenSSL knows"),
        .patterns = SAYS({ "could not set the cipher list (no valid ciphers available)", SAYS_SERVER, 0,
                           17 },
                         { "could not set the TLSv1.2 cipher list (no valid ciphers available)", SAYS_SERVER,
                           18 },
                         { "could not set the TLSv1.3 cipher suites (no valid ciphers available)",
                           SAYS_SERVER, 18 },
                         { "no se pudo establecer la lista de cifrado (no hay cifradores disponibles)",
                           SAYS_SERVER, 0, 17, "es" }),
        .sqlstate = "F0000",
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("A slip, or names of TLS 1.3 suites (TLS_AES_...) in ssl_ciphers, which is for 1.2 and "
                 "below."), "openssl ciphers -v 'LIST'",
              N_("Take it back to the default; restrict versions instead."), TEST_NONE } },
        .source = "src/backend/libpq/be-secure-openssl.c, be_tls_init",
    },
    {
        .id = "group-invalid",
        .title = N_("ssl_ecdh_curve or ssl_groups names a group that this OpenSSL does not know"),
        .patterns = SAYS({ "ECDH: unrecognized curve name: {value}", SAYS_SERVER, 0, 17 },
                         { "ECDH: nombre de curva no reconocida: {value}", SAYS_SERVER, 0, 17, "es" },
                         { "could not set group names specified in ssl_groups: {reason}", SAYS_SERVER, 18 },
                         { "ECDH: could not create key", SAYS_SERVER, 0, 17 }),
        .sqlstate = "F0000",
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("A slip; or X25519 or a list before 18, which take one curve of the prime kind."),
              "openssl ecparam -list_curves", N_("Use prime256v1; from 18 X25519:prime256v1."),
              TEST_NONE } },
        .source = "src/backend/libpq/be-secure-openssl.c, initialize_ecdh",
    },
    {
        .id = "protocol-range-invalid",
        .title = N_("ssl_min_protocol_version and ssl_max_protocol_version of the server do not go together"),
        .patterns = SAYS({ "could not set SSL protocol version range", SAYS_SERVER, 13 },
                         { "no se pudo definir el rango de versión de protocolo SSL", SAYS_SERVER, 13, 0,
                           "es" },
                         { "could not set minimum SSL protocol version", SAYS_SERVER },
                         { "could not set maximum SSL protocol version", SAYS_SERVER },
                         { "\"ssl_min_protocol_version\" setting \"{value}\" not supported by this build",
                           SAYS_SERVER },
                         { "\"ssl_max_protocol_version\" setting \"{value}\" not supported by this build",
                           SAYS_SERVER }),
        .sqlstate = "F0000",
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("The minimum is above the maximum, or this OpenSSL does not have that version."),
              "grep -n protocol_version postgresql.conf", N_("Leave the maximum empty."),
              TEST_PROTOCOLS } },
        .source = "src/backend/libpq/be-secure-openssl.c, be_tls_init",
    },
    {
        .id = "dh-file-unusable",
        .title = N_("ssl_dh_params_file cannot be used"),
        .patterns = SAYS({ "could not load DH parameters file: {reason}", SAYS_SERVER },
                         { "no se pudo cargar el archivo de parámetros DH: {reason}", SAYS_SERVER,
                           SPANISH },
                         { "could not open DH parameters file \"{file}\": {reason}", SAYS_SERVER },
                         { "no se pudo abrir el archivo de parámetros DH «{file}»: {reason}", SAYS_SERVER,
                           SPANISH },
                         { "invalid DH parameters: ", SAYS_SERVER },
                         { "parámetros DH no válidos: ", SAYS_SERVER, SPANISH }),
        .sqlstate = "F0000",
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("The file is not there, or holds no parameters in PEM."), "openssl dhparam -in {file} -check",
              N_("Leave ssl_dh_params_file empty: the built-in ones have 2048 bits."), TEST_NONE } },
        .source = "src/backend/libpq/be-secure-openssl.c, load_dh_file",
    },
    {
        .id = "setting-not-known",
        .title = N_("this server does not know a setting of its files"),
        .patterns = SAYS({ "unrecognized configuration parameter \"{setting}\" in file \"{file}\" line {line}",
                           SAYS_SERVER },
                         { "parámetro de configuración «{setting}» no reconocido en el archivo «{file}» "
                           "línea {line}", SAYS_SERVER, SPANISH },
                         { "unrecognized configuration parameter \"{setting}\"", SAYS_SERVER },
                         { "parámetro de configuración «{setting}» no reconocido", SAYS_SERVER, SPANISH }),
        .sqlstate = "42704",
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("It is of a newer version: ssl_min_protocol_version needs 12, ssl_crl_dir 14, ssl_groups and "
                 "ssl_tls13_ciphers 18, ssl_sni 19. At a reload nothing of any file is applied then."),
              "postgres --describe-config | cut -f1 | grep ssl",
              N_("Take the line out."), TEST_SETTING_KNOWN } },
        .source = "src/backend/utils/misc/guc.c",
    },
    {
        .id = "setting-value-refused",
        .title = N_("a setting has a value that it cannot have"),
        .patterns = SAYS({ "invalid value for parameter \"{setting}\": \"{value}\"", SAYS_SERVER },
                         { "valor no válido para el parámetro «{setting}»: «{value}»", SAYS_SERVER,
                           SPANISH },
                         { "parameter \"{setting}\" requires a Boolean value", SAYS_SERVER },
                         { "el parámetro «{setting}» requiere un valor lógico", SAYS_SERVER, SPANISH }),
        .sqlstate = "22023",
        .rank = RANK_GENERAL,
        .provoked = true,
        .causes = {
            { N_("A slip; versions of TLS are written TLSv1.2, and the minimum cannot be empty."),
              "psql -c \"select name, enumvals from pg_settings where name like 'ssl%version'\"",
              N_("Write one of the values that the server's HINT lists."), TEST_NONE } },
        .source = "src/backend/utils/misc/guc.c",
    },
    {
        .id = "setting-needs-restart",
        .title = N_("a setting was changed that only a restart takes"),
        .patterns = SAYS({ "parameter \"{setting}\" cannot be changed without restarting the server",
                           SAYS_SERVER },
                         { "el parámetro «{setting}» no se puede cambiar sin reiniciar el servidor",
                           SAYS_SERVER, SPANISH }),
        .sqlstate = "55P02",
        .rank = RANK_GENERAL,
        .provoked = true,
        .causes = {
            { N_("listen_addresses, port and others are read at a start only; the ssl settings too before "
                 "10."), "psql -c 'select name from pg_settings where pending_restart'",
              N_("Restart when it suits."), TEST_NONE } },
        .source = "src/backend/utils/misc/guc.c",
    },
    {
        .id = "ssl-not-built-in",
        .title = N_("this server was built without TLS"),
        .patterns = SAYS({ "SSL is not supported by this build", SAYS_SERVER },
                         { "SSL no está soportado en este servidor", SAYS_SERVER, SPANISH }),
        .rank = RANK_PRECISE,
        .causes = {
            { N_("It was compiled without --with-ssl=openssl."), "pg_config --configure",
              N_("Install a packaged server."), TEST_NONE } },
        .source = "src/backend/commands/variable.c, check_ssl",
    },
    { .id = NULL }
};
