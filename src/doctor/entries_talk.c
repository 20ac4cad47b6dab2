/*
 * entries_talk.c - before and during the handshake: is there TLS at all, which version, which suites.
 */
#include "doctor/says.h"

const struct doctor_entry doctor_talk_entries[] = {
    {
        .id = "server-without-tls",
        .title = N_("the client insists on TLS, and the server does not offer it"),
        .patterns = SAYS({ "server does not support SSL, but SSL was required", SAYS_LIBPQ },
                         { "el servidor no soporta SSL, pero SSL es requerida", SAYS_LIBPQ, SPANISH },
                         { "The server does not support SSL.", SAYS_JDBC },
                         { "El servidor no soporta SSL", SAYS_JDBC, SPANISH },
                         { "SSL is not enabled on the server", SAYS_GO },
                         { "server refused TLS connection", SAYS_GO },
                         { "The server does not support SSL connections", SAYS_NODE },
                         { "SSL connection requested. No SSL enabled connection from this host is "
                           "configured", SAYS_DOTNET },
                         { "rejected SSL upgrade", SAYS_PYTHON },
                         { "server does not support TLS", SAYS_RUST }),
        .rank = RANK_PRECISE,
        .causes = {
            { N_("ssl is off in the server."), "psql \"sslmode=disable ...\" -c 'show ssl'",
              N_("Switch it on with certificates: pgseal secure -D DATADIR."), TEST_SSL_OFF },
            { N_("What answers is a pooler or a proxy without TLS in front of the server."), SHOW_SERVED,
              N_("Configure TLS there: in PgBouncer client_tls_sslmode with a key and a certificate."),
              TEST_NONE },
            { N_("On Windows each connection loads the files again, and goes on without TLS when that "
                 "fails."), NULL, N_("Read the server's log for \"SSL configuration could not be loaded in "
                                     "child process\"."), TEST_NONE } },
        .source = "src/interfaces/libpq/fe-connect.c; src/backend/tcop/backend_startup.c",
    },
    {
        .id = "not-postgresql",
        .title = N_("what answers on that port does not speak PostgreSQL"),
        .patterns = SAYS({ "received invalid response to SSL negotiation: {value}", SAYS_LIBPQ },
                         { "se ha recibido una respuesta no válida en la negociación SSL: {value}",
                           SAYS_LIBPQ, SPANISH },
                         { "There was an error establishing an SSL connection", SAYS_NODE }),
        .rank = RANK_PRECISE,
        .causes = {
            { N_("The port belongs to another service: H is the beginning of HTTP/1.1, S of SSH."),
              "curl -v http://{host}:{port}/", N_("Give the right port."), TEST_NONE },
            { N_("A proxy for web servers stands in front, which does not know PostgreSQL's request for "
                 "TLS."), SHOW_SERVED, N_("Let it pass TCP through, or use direct TLS (17 and later)."),
              TEST_NONE } },
        .source = "src/interfaces/libpq/fe-connect.c, PQconnectPoll",
    },
    {
        .id = "error-before-tls",
        .title = N_("the server sent an error before TLS began"),
        .patterns = SAYS({ "server sent an error response during SSL exchange", SAYS_LIBPQ, 13 },
                         { "el servidor envió una respuesta de error durante un intercambio SSL",
                           SAYS_LIBPQ, 13, 0, "es" }),
        .rank = RANK_PRECISE,
        .causes = {
            { N_("The server could not start a process for the connection, or a pooler refuses. libpq does "
                 "not show the text, because anybody could have sent it (CVE-2024-10977)."), NULL,
              N_("Read the log of the server or the pooler at that time."), TEST_NONE } },
        .source = "src/interfaces/libpq/fe-connect.c, PQconnectPoll",
    },
    {
        .id = "unencrypted-data-injected",
        .title = N_("plaintext bytes came along with the agreement on TLS: an injection, or a broken "
                    "proxy"),
        .patterns = SAYS({ "received unencrypted data after SSL response", SAYS_LIBPQ },
                         { "se recibieron datos no cifrados después de la respuesta SSL", SAYS_LIBPQ,
                           SPANISH },
                         { "received unencrypted data after SSL request", SAYS_SERVER, 0, 16 },
                         { "se recibieron datos no cifrados después de petición SSL", SAYS_SERVER, 0, 16,
                           "es" },
                         { "buffered unencrypted data remains after negotiating SSL connection", SAYS_SERVER,
                           17 }),
        .sqlstate = "08P01",
        .rank = RANK_PRECISE,
        .causes = {
            { N_("Somebody between client and server added bytes that are to be taken for part of the "
                 "session (CVE-2021-23214, CVE-2021-23222)."), "tcpdump -w cut.pcap port {port}",
              N_("Find out who stands in the middle; the connection was rightly refused."), TEST_NONE },
            { N_("A client or proxy of one's own making sends the startup packet without waiting for the "
                 "answer."), NULL, N_("Mend it: wait for the byte S, then begin TLS."), TEST_NONE } },
        .source = "commits 28e2412554, 160c025880",
    },
    {
        .id = "startup-packet-invalid",
        .title = N_("the first packet is none of PostgreSQL's: HTTP, a port scan, or direct TLS to a server "
                    "before 17"),
        .patterns = SAYS({ "invalid length of startup packet", SAYS_SERVER },
                         { "el de paquete de inicio tiene largo incorrecto", SAYS_SERVER, SPANISH },
                         { "incomplete startup packet", SAYS_SERVER },
                         { "el paquete de inicio está incompleto", SAYS_SERVER, SPANISH }),
        .rank = RANK_PRECISE,
        .causes = {
            { N_("A health check or a scanner that speaks another protocol."), NULL,
              N_("Let the check use pg_isready."), TEST_NONE },
            { N_("A client with sslnegotiation=direct, which servers know from 17 on."),
              "psql -c 'show server_version'", N_("Use sslnegotiation=postgres."), TEST_NONE } },
        .source = "src/backend/tcop/backend_startup.c, ProcessStartupPacket",
    },
    {
        .id = "handshake-cut",
        .title = N_("the other side closed the connection in the middle of the handshake"),
        .patterns = SAYS({ "SSL SYSCALL error: EOF detected", SAYS_LIBPQ },
                         { "ERROR en llamada SSL: detectado fin de archivo", SAYS_LIBPQ, SPANISH },
                         { "failed: SSL error: unexpected eof while reading", SAYS_LIBPQ },
                         { "error de SSL: unexpected eof while reading", SAYS_LIBPQ, SPANISH },
                         { "Client network socket disconnected before secure TLS connection was established",
                           SAYS_NODE },
                         { "SSL SYSCALL error: Connection reset by peer", SAYS_LIBPQ },
                         { "ERROR en llamada SSL: Connection reset by peer", SAYS_LIBPQ, SPANISH },
                         { "Remote host terminated the handshake", SAYS_JDBC }),
        .rank = RANK_GENERAL,
        .causes = {
            { N_("Direct TLS (sslnegotiation=direct) to a server before 17."),
              "psql -c 'show server_version'", N_("Use sslnegotiation=postgres."), TEST_NONE },
            { N_("authentication_timeout passed, the server was stopped, or a firewall cut the "
                 "connection."), NULL, N_("Read the server's log at that time."), TEST_NONE } },
        .source = "src/interfaces/libpq/fe-secure-openssl.c",
    },
    {
        .id = "client-went-away",
        .title = N_("the client closed the connection during the handshake"),
        .patterns = SAYS({ ACCEPT "EOF detected", SAYS_SERVER },
                         { ACCEPT_ES "se detectó EOF", SAYS_SERVER, SPANISH },
                         { ACCEPT "unexpected eof while reading", SAYS_SERVER },
                         { ACCEPT_ES "unexpected eof while reading", SAYS_SERVER, SPANISH },
                         { ACCEPT "Connection reset by peer", SAYS_SERVER },
                         { ACCEPT_ES "Connection reset by peer", SAYS_SERVER, SPANISH },
                         { ACCEPT "Success", SAYS_SERVER }),
        .rank = RANK_PRECISE,
        .causes = {
            { N_("The client could not use one of its own files (sslrootcert, sslcert, sslkey), and says "
                 "which one in its own message."), NULL, N_("Read the client's message."), TEST_NONE },
            { N_("The client does not like the server's certificate and says so by hanging up, or it is a "
                 "scanner or a health check."), NULL,
              N_("Look at the addresses from which they come: pgseal explain --log LOG."), TEST_NONE } },
        .source = "src/backend/libpq/be-secure-openssl.c, be_tls_open_server",
    },
    {
        .id = "alpn-missing",
        .title = N_("direct TLS without the ALPN protocol \"postgresql\""),
        .patterns = SAYS({ "direct SSL connection was established without ALPN protocol negotiation extension",
                           SAYS_LIBPQ, 17 },
                         { "received direct SSL connection request without ALPN protocol negotiation "
                           "extension", SAYS_SERVER, 17 }),
        .rank = RANK_PRECISE,
        .causes = {
            { N_("A proxy or a client in between does not offer, or does not pass on, ALPN."),
              "openssl s_client -connect {host}:{port} -alpn postgresql </dev/null",
              N_("Let it offer \"postgresql\", or use sslnegotiation=postgres."), TEST_NONE } },
        .source = "src/backend/tcop/backend_startup.c, ProcessSSLStartup",
    },
    {
        .id = "alpn-wrong",
        .title = N_("an ALPN protocol other than \"postgresql\" was offered"),
        .patterns = SAYS({ "no application protocol", SAYS_OPENSSL },
                         { "received SSL connection request with unexpected ALPN protocol", SAYS_SERVER, 17 },
                         { "tls: no application protocol", SAYS_GO },
                         { "Received fatal alert: no_application_protocol", SAYS_JDBC }),
        .rank = RANK_PRECISE,
        .causes = {
            { N_("A web proxy or a client with http/1.1 or h2."),
              "openssl s_client -connect {host}:{port} -alpn postgresql </dev/null",
              N_("Let it offer \"postgresql\"."), TEST_NONE } },
        .source = "src/backend/libpq/be-secure-openssl.c, alpn_cb",
    },
    {
        .id = "weak-sslmode",
        .title = N_("this sslmode is too weak for what else was asked for"),
        .patterns = SAYS({ "weak sslmode \"{value}\" may not be used with {setting} (use", SAYS_LIBPQ, 16 }),
        .rank = RANK_PRECISE,
        .causes = {
            { N_("sslrootcert=system wants verify-full, sslnegotiation=direct at least require: with less "
                 "they would protect nothing."), NULL, N_("Use sslmode=verify-full."), TEST_NONE } },
        .source = "src/interfaces/libpq/fe-connect.c, pqConnectOptions2",
    },
    {
        .id = "handshake-failure",
        .title = N_("the server found nothing in common with the client: suites, groups, or it wants a "
                    "certificate"),
        .patterns = SAYS({ "alert handshake failure", SAYS_OPENSSL },
                         { "Received fatal alert: handshake_failure", SAYS_JDBC },
                         { "tls: handshake failure", SAYS_GO },
                         { "received fatal alert: HandshakeFailure", SAYS_RUST }),
        .rank = RANK_GENERAL,
        .causes = {
            { N_("ssl_ciphers has no suite that the client knows or that fits the type of the server's key: "
                 "the server's log says \"no shared cipher\"."), SHOW_SERVED,
              N_("Take ssl_ciphers back to its default, or widen it; restrict versions instead."),
              TEST_NONE },
            { N_("ssl_groups has no group that the client offers: the log says \"no suitable key "
                 "share\"."), SHOW_SERVED, N_("Add X25519:prime256v1."), TEST_NONE },
            { N_("Over TLS 1.2 a pooler or gateway wants a client certificate."), SHOW_SERVED,
              N_("Give the client its certificate: sslcert and sslkey."), TEST_NONE },
            { N_("With ssl_sni (19) pg_hosts.conf has no line for clients that send no name."),
              "cat pg_hosts.conf", N_("Add a line for * or /no_sni/."), TEST_NONE } },
        .source = "RFC 8446 6.2, handshake_failure",
    },
    {
        .id = "no-shared-cipher",
        .title = N_("the server and the client have no cipher suite in common"),
        .patterns = SAYS({ ACCEPT "no shared cipher", SAYS_SERVER },
                         { ACCEPT_ES "no shared cipher", SAYS_SERVER, SPANISH },
                         { "no shared cipher", SAYS_OPENSSL }),
        .rank = RANK_PRECISE,
        .causes = {
            { N_("ssl_ciphers is too narrow, or has only suites for RSA while the server's key is EC."),
              "psql -c 'show ssl_ciphers'",
              N_("Take ssl_ciphers back to its default; restrict versions with "
                 "ssl_min_protocol_version instead."), TEST_NONE },
            { N_("A very old client."), NULL, N_("Renew its TLS library."), TEST_NONE } },
        .source = "OpenSSL ssl/statem/statem_srvr.c, tls_post_process_client_hello",
    },
    {
        .id = "no-shared-group",
        .title = N_("the server and the client have no key exchange group in common"),
        .patterns = SAYS({ ACCEPT "no suitable key share", SAYS_SERVER },
                         { ACCEPT_ES "no suitable key share", SAYS_SERVER, SPANISH },
                         { ACCEPT "no suitable groups", SAYS_SERVER },
                         { "no suitable key share", SAYS_OPENSSL }),
        .rank = RANK_PRECISE,
        .causes = {
            { N_("ssl_groups (ssl_ecdh_curve before 18) names a curve that the client does not offer."),
              "psql -c 'show ssl_groups'", N_("Use X25519:prime256v1; before 18 prime256v1."), TEST_NONE } },
        .source = "OpenSSL ssl/statem/extensions_srvr.c",
    },
    {
        .id = "protocol-version",
        .title = N_("the server and the client have no version of TLS in common"),
        .patterns = SAYS({ "alert protocol version", SAYS_OPENSSL },
                         { ACCEPT "unsupported protocol", SAYS_SERVER },
                         { ACCEPT_ES "unsupported protocol", SAYS_SERVER, SPANISH },
                         { ACCEPT "version too low", SAYS_SERVER },
                         { "SSL error: unsupported protocol", SAYS_LIBPQ },
                         { "error de SSL: unsupported protocol", SAYS_LIBPQ, SPANISH },
                         { "This may indicate that the server does not support any SSL protocol version "
                           "between {low} and {high}.", SAYS_LIBPQ, 13 },
                         { "Esto puede indicar que el servidor no soporta ninguna versión del protocolo SSL "
                           "entre {low} y {high}.", SAYS_LIBPQ, 13, 0, "es" },
                         { "This may indicate that the client does not support any SSL protocol version "
                           "between {low} and {high}.", SAYS_SERVER, 14 },
                         { "Esto puede indicar que el cliente no soporta ninguna versión del protocolo SSL "
                           "entre {low} y {high}.", SAYS_SERVER, 14, 0, "es" },
                         { "Received fatal alert: protocol_version", SAYS_JDBC },
                         { "is not accepted by client preferences", SAYS_JDBC },
                         { "tls: protocol version not supported", SAYS_GO },
                         { "tls: server selected unsupported protocol version", SAYS_GO },
                         { "received fatal alert: ProtocolVersion", SAYS_RUST }),
        .rank = RANK_PRECISE,
        .causes = {
            { N_("The ranges do not meet: ssl_min_protocol_version of the server is above what the client "
                 "can, or the client's minimum (TLSv1.2 in libpq from 13) above what the server can."),
              SHOW_SERVED, N_("Renew the older side; lower the minimum only as a stopgap."),
              TEST_PROTOCOLS } },
        .source = "src/backend/libpq/be-secure-openssl.c, be_tls_open_server",
    },
    {
        .id = "no-protocols-available",
        .title = N_("a side has every version of TLS switched off that it was told to use"),
        .patterns = SAYS({ "no protocols available", SAYS_OPENSSL },
                         { "No appropriate protocol (protocol is disabled or cipher suites are "
                           "inappropriate)", SAYS_JDBC }),
        .rank = RANK_PRECISE,
        .causes = {
            { N_("The client was told TLS 1.0 or 1.1 at most, and its library no longer has them at this "
                 "security level."), "openssl version",
              N_("Raise ssl_max_protocol_version of the client, or leave it out."), TEST_NONE } },
        .source = "OpenSSL ssl/statem/statem_lib.c, ssl_get_min_max_version",
    },
    {
        .id = "client-protocol-setting",
        .title = N_("the client's own limits for TLS versions are wrong"),
        .patterns = SAYS({ "invalid SSL protocol version range", SAYS_LIBPQ, 13 },
                         { "rango de protocolo SSL  no válido", SAYS_LIBPQ, 13, 0, "es" },
                         { "invalid \"ssl_min_protocol_version\" value: \"{value}\"", SAYS_LIBPQ, 16 },
                         { "invalid \"ssl_max_protocol_version\" value: \"{value}\"", SAYS_LIBPQ, 16 },
                         { "invalid ssl_min_protocol_version value: \"{value}\"", SAYS_LIBPQ, 13, 15 },
                         { "invalid ssl_max_protocol_version value: \"{value}\"", SAYS_LIBPQ, 13, 15 },
                         { "valor ssl_min_protocol_version no válido: «{value}»", SAYS_LIBPQ, 13, 15, "es" },
                         { "valor ssl_max_protocol_version no válido: «{value}»", SAYS_LIBPQ, 13, 15,
                           "es" }),
        .rank = RANK_PRECISE,
        .causes = {
            { N_("ssl_min_protocol_version is above ssl_max_protocol_version, or not one of TLSv1, TLSv1.1, "
                 "TLSv1.2, TLSv1.3."), "env | grep PGSSLM", N_("Leave both out: TLSv1.2 is the least."),
              TEST_NONE } },
        .source = "src/interfaces/libpq/fe-connect.c, pqConnectOptions2",
    },
    {
        .id = "dh-key-too-small",
        .title = N_("the server's DH parameters are too small for the client"),
        .patterns = SAYS({ "SSL error: dh key too small", SAYS_LIBPQ },
                         { "error de SSL: dh key too small", SAYS_LIBPQ, SPANISH },
                         { "DH ServerKeyExchange does not comply to algorithm constraints", SAYS_JDBC },
                         { "DH: could not set DH parameters", SAYS_SERVER },
                         { "DH: no se pudo definir los parámetros DH", SAYS_SERVER, SPANISH }),
        .rank = RANK_PRECISE,
        .causes = {
            { N_("ssl_dh_params_file has parameters of 1024 bits."),
              "openssl dhparam -in \"$(psql -Atc 'show ssl_dh_params_file')\" -noout -text | head -1",
              N_("Leave ssl_dh_params_file empty: the built-in ones have 2048 bits."), TEST_NONE } },
        .source = "src/backend/libpq/be-secure-openssl.c, initialize_dh",
    },
    {
        .id = "plaintext-in-handshake",
        .title = N_("what came during the handshake is not TLS"),
        .patterns = SAYS({ "SSL error: wrong version number", SAYS_LIBPQ },
                         { "error de SSL: wrong version number", SAYS_LIBPQ, SPANISH },
                         { "wrong version number", SAYS_OPENSSL },
                         { "http request", SAYS_OPENSSL },
                         { "Unsupported or unrecognized SSL message", SAYS_JDBC },
                         { "tls: first record does not look like a TLS handshake", SAYS_GO },
                         { "received corrupt message of type InvalidContentType", SAYS_RUST }),
        .rank = RANK_PRECISE,
        .causes = {
            { N_("The driver began TLS at once with a server that wants to be asked first (before 17), or a "
                 "proxy in between answers in plaintext."), SHOW_SERVED,
              N_("Leave sslnegotiation=direct out, and look for the proxy."), TEST_NONE },
            { N_("Plaintext was stuffed in front of the handshake."), "tcpdump -w cut.pcap port {port}",
              N_("Find out who stands in the middle."), TEST_NONE } },
        .source = "OpenSSL ssl/record/, SSL_R_WRONG_VERSION_NUMBER",
    },
    {
        .id = "connection-lost",
        .title = N_("an encrypted connection was cut without a goodbye"),
        .patterns = SAYS({ "SSL connection has been closed unexpectedly", SAYS_LIBPQ },
                         { "la conexión SSL se ha cerrado inesperadamente", SAYS_LIBPQ, SPANISH },
                         { "SSL error: unexpected eof while reading", SAYS_SERVER, 18 },
                         { "server closed the connection unexpectedly", SAYS_LIBPQ },
                         { "el servidor ha cerrado la conexión inesperadamente", SAYS_LIBPQ, SPANISH },
                         { "could not receive data from client: Connection reset by peer", SAYS_SERVER },
                         { "no se pudo recibir datos del cliente: Connection reset by peer", SAYS_SERVER,
                           SPANISH },
                         { "Connection terminated unexpectedly", SAYS_NODE },
                         { "An I/O error occurred while sending to the backend", SAYS_JDBC }),
        .rank = RANK_AFTERMATH,
        .causes = {
            { N_("The server process or the server ended: its log says why."), NULL,
              N_("Read the server's log at that time."), TEST_NONE },
            { N_("A firewall, a load balancer or NAT dropped an idle connection."), NULL,
              N_("Set tcp_keepalives_idle in the server, or keepalives_idle in the client, below its "
                 "limit."), TEST_NONE } },
        .source = "src/interfaces/libpq/fe-secure-openssl.c, pgtls_read",
    },
    {
        .id = "startup-not-sent",
        .title = N_("the server closed the connection before the client had sent its startup packet"),
        .patterns = SAYS({ "could not send startup packet: Connection reset by peer", SAYS_LIBPQ },
                         { "could not send startup packet: Broken pipe", SAYS_LIBPQ },
                         { "no se pudo enviar el paquete de inicio: ", SAYS_LIBPQ, SPANISH }),
        .rank = RANK_AFTERMATH,
        .causes = {
            { N_("Under TLS 1.3 the client thinks that the handshake is done when the server refuses its "
                 "certificate: the other line of the message counts."), NULL,
              N_("Explain that line, or read the server's log."), TEST_NONE } },
        .source = "RFC 8446 4.4.2; src/interfaces/libpq/fe-connect.c",
    },
    {
        .id = "cannot-connect",
        .title = N_("nothing answers at that address and port"),
        .patterns = SAYS({ "Connection refused", SAYS_LIBPQ },
                         { "Is the server running on that host and accepting TCP/IP connections?",
                           SAYS_LIBPQ },
                         { "¿Está el servidor en ejecución en ese host y aceptando conexiones TCP/IP?",
                           SAYS_LIBPQ, SPANISH },
                         { "connect: connection refused", SAYS_GO },
                         { "connect ECONNREFUSED", SAYS_NODE }),
        .rank = RANK_GENERAL,
        .causes = {
            { N_("The server is not running: perhaps it did not start because of a TLS file."),
              "pg_ctl status -D DATADIR", N_("Read the end of the server's log: pgseal explain --log LOG."),
              TEST_NONE },
            { N_("listen_addresses does not have that address, or the port is another one."),
              "ss -ltnp | grep postgres", N_("Set listen_addresses, which takes a restart."), TEST_NONE } },
        .source = "src/interfaces/libpq/fe-connect.c, connectFailureMessage",
    },
    {
        .id = "protocol-unknown",
        .title = N_("a request for encryption came where none is expected"),
        .patterns = SAYS({ "unsupported frontend protocol 1234.", SAYS_SERVER },
                         { "el protocolo 1234.", SAYS_SERVER, SPANISH }),
        .sqlstate = "0A000",
        .rank = RANK_PRECISE,
        .causes = {
            { N_("A client asks for TLS or GSS a second time inside of TLS: two layers of proxies, each of "
                 "which asks."), NULL, N_("Let one of them ask only."), TEST_NONE } },
        .source = "src/backend/tcop/backend_startup.c, ProcessStartupPacket",
    },
    {
        .id = "pooler-wants-tls",
        .title = N_("PgBouncer takes encrypted connections only"),
        .patterns = SAYS({ "FATAL: SSL required", SAYS_PGBOUNCER }, { "ERROR: SSL required", SAYS_PGBOUNCER },
                         { "SSL required", SAYS_PGBOUNCER }, { "TLS connection required", SAYS_PGBOUNCER }),
        .sqlstate = "08P01",
        .rank = RANK_PRECISE,
        .causes = {
            { N_("client_tls_sslmode is require or more, and the client came in plaintext."), NULL,
              N_("Use sslmode=verify-full in the client."), TEST_NONE } },
        .source = "PgBouncer src/client.c",
    },
    {
        .id = "pooler-tls-handshake",
        .title = N_("a handshake of PgBouncer failed, with a client or with its server"),
        .patterns = SAYS({ "TLS handshake failed: ", SAYS_PGBOUNCER },
                         { "TLS handshake error: ", SAYS_PGBOUNCER }),
        .rank = RANK_GENERAL,
        .causes = {
            { N_("With a server: server_tls_ca_file does not have its root CA, or the name is another. With a "
                 "client: client_tls_ca_file does not have that of its certificate."), NULL,
              N_("Explain what stands behind the colon; line before or after it tells with whom."),
              TEST_NONE } },
        .source = "PgBouncer lib/usual/tls/tls.c",
    },
    { .id = NULL }
};
