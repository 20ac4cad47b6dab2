/*
 * entries_client.c - the server does not accept the client's certificate.
 *
 * With ssl_ca_file set the server verifies every certificate that a client sends, whatever pg_hba.conf
 * says: be-secure-openssl.c, SSL_VERIFY_PEER.  The DETAIL is there from 16 (3a0e385048).
 */
#include "doctor/says.h"

#define DETAIL_AT "Client certificate verification failed at depth "

const struct doctor_entry doctor_client_entries[] = {
    {
        .id = "client-cert-not-verified",
        .title = N_("the server cannot verify a client's certificate; before 16 its log does not say why"),
        .patterns = SAYS({ ACCEPT "certificate verify failed", SAYS_SERVER },
                         { ACCEPT_ES "certificate verify failed", SAYS_SERVER, SPANISH }),
        .rank = RANK_GENERAL,
        .provoked = true,
        .causes = {
            { N_("The certificate's CA is not in ssl_ca_file, or the client did not send its "
                 "intermediate."), "openssl verify -CAfile ROOT -untrusted INTERMEDIATE CLIENT",
              N_("Put the root CA into ssl_ca_file and the intermediate behind the client's "
                 "certificate."), TEST_CA_FILE },
            { N_("A CRL of some CA up to the root is missing."), SHOW_CRL,
              N_("Put a CRL of every CA into ssl_crl_file, and reload."), TEST_CRL_COMPLETE },
            { N_("A CRL has expired: then every client with a certificate is refused."), SHOW_CRL,
              N_("Publish a new one and reload: pgseal ca crl."), TEST_CRL_DATES },
            { N_("The client's certificate is revoked or expired, too weak, or not for clients."), SHOW_CERT,
              N_("Issue a new one: pgseal ca renew."), TEST_NONE } },
        .source = "src/backend/libpq/be-secure-openssl.c, be_tls_open_server",
    },
    {
        .id = "client-cert-revoked",
        .title = N_("the client's certificate is revoked"),
        .patterns = SAYS({ DETAIL_AT "{depth}: certificate revoked", SAYS_SERVER, 16 },
                         { "alert certificate revoked", SAYS_OPENSSL },
                         { "Received fatal alert: certificate_revoked", SAYS_JDBC },
                         { "tls: revoked certificate", SAYS_GO },
                         { "received fatal alert: CertificateRevoked", SAYS_RUST }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("Its serial is on the CRL of the server. This happens on every line of pg_hba.conf, trust "
                 "included."), "openssl x509 -in {file} -noout -serial",
              N_("Issue a new certificate: pgseal client, or pgseal ca renew."), TEST_NONE } },
        .source = "src/backend/libpq/be-secure-openssl.c, verify_cb",
    },
    {
        .id = "client-cert-expired",
        .title = N_("the client's certificate has expired, or the server's CRL has"),
        .patterns = SAYS({ DETAIL_AT "{depth}: certificate has expired", SAYS_SERVER, 16 },
                         { "alert certificate expired", SAYS_OPENSSL },
                         { "Received fatal alert: certificate_expired", SAYS_JDBC },
                         { "tls: expired certificate", SAYS_GO },
                         { "received fatal alert: CertificateExpired", SAYS_RUST }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("The client's certificate has expired."), SHOW_CERT,
              N_("Renew it: pgseal client --renew."), TEST_NONE },
            { N_("A CRL of the server has expired: the client gets the same alert, and all clients with "
                 "certificates fail at once."), SHOW_CRL,
              N_("Publish a new CRL and reload: pgseal ca crl."), TEST_CRL_DATES } },
        .source = "OpenSSL ssl/statem/statem_lib.c, x509table",
    },
    {
        .id = "server-crl-expired",
        .title = N_("a CRL of the server has expired: every client with a certificate is refused"),
        .patterns = SAYS({ DETAIL_AT "{depth}: CRL has expired", SAYS_SERVER, 16 },
                         { "CRL has expired", SAYS_OPENSSL }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("The next update that the CRL promised did not come."), SHOW_CRL,
              N_("Publish a new one, reload, and let a timer do it: pgseal rotate --all-due."),
              TEST_CRL_DATES } },
        .source = "OpenSSL crypto/x509/x509_vfy.c, check_crl_time",
    },
    {
        .id = "server-crl-missing",
        .title = N_("the server has no CRL of a CA of the client's chain"),
        .patterns = SAYS({ DETAIL_AT "{depth}: unable to get certificate CRL", SAYS_SERVER, 16 },
                         { "unable to get certificate CRL", SAYS_OPENSSL }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("ssl_crl_file has the CRL of the issuing CA and not that of the CA above it (depth 1 and "
                 "more), or not that of the issuing CA (depth 0): with a CRL every CA of the chain needs "
                 "one."), SHOW_CRL, N_("Put the CRLs of all CAs into one file, and reload."),
              TEST_CRL_COMPLETE },
            { N_("ssl_crl_dir does not exist or has no hashed names: the server starts with it and "
                 "then refuses every client with a certificate."), "openssl rehash -v CRL_DIR",
              N_("Make the names with openssl rehash; no reload is needed."), TEST_CRL_FILE } },
        .source = "src/backend/libpq/be-secure-openssl.c, X509_V_FLAG_CRL_CHECK_ALL",
    },
    {
        .id = "client-ca-unknown",
        .title = N_("the server does not know the CA of the client's certificate"),
        .patterns = SAYS({ DETAIL_AT "{depth}: unable to get local issuer certificate", SAYS_SERVER, 16 },
                         { DETAIL_AT "{depth}: unable to get issuer certificate", SAYS_SERVER, 16 },
                         { "alert unknown ca", SAYS_OPENSSL },
                         { "Received fatal alert: unknown_ca", SAYS_JDBC },
                         { "tls: unknown certificate authority", SAYS_GO },
                         { "received fatal alert: UnknownCA", SAYS_RUST }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("The root CA of the client's certificate is not in ssl_ca_file."),
              "openssl verify -CAfile ROOT -untrusted INTERMEDIATE CLIENT",
              N_("Add it to ssl_ca_file and reload, or issue the certificate from the right CA."),
              TEST_CA_FILE },
            { N_("The client does not send its intermediate: its certificate file has the leaf alone."),
              "grep -c BEGIN CLIENT",
              N_("Append the intermediate to the client's certificate file (sslcert)."), TEST_NONE },
            { N_("The server has no CRL of some CA of the chain: the client gets the same alert; from 16 "
                 "the server's log tells them apart."), SHOW_CRL,
              N_("Put the CRLs of all CAs into ssl_crl_file, and reload."), TEST_CRL_COMPLETE },
            { N_("The certificate is self-signed."), SHOW_CERT,
              N_("Issue one from the CA: pgseal client."), TEST_NONE } },
        .source = "OpenSSL ssl/statem/statem_lib.c, x509table",
    },
    {
        .id = "client-cert-self-signed",
        .title = N_("the client's certificate is self-signed"),
        .patterns = SAYS({ DETAIL_AT "{depth}: self-signed certificate", SAYS_SERVER, 16 },
                         { DETAIL_AT "{depth}: self signed certificate", SAYS_SERVER, 16 }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("The client sends a certificate that no CA issued, or whose root is not in "
                 "ssl_ca_file."), SHOW_CERT, N_("Issue one from the CA: pgseal client."), TEST_CA_FILE } },
        .source = "src/backend/libpq/be-secure-openssl.c, verify_cb",
    },
    {
        .id = "client-cert-not-for-clients",
        .title = N_("the client's certificate is not for clients"),
        .patterns = SAYS({ DETAIL_AT "{depth}: unsuitable certificate purpose", SAYS_SERVER, 16 },
                         { DETAIL_AT "{depth}: unsupported certificate purpose", SAYS_SERVER, 16 },
                         { "alert unsupported certificate", SAYS_OPENSSL },
                         { "Received fatal alert: unsupported_certificate", SAYS_JDBC },
                         { "tls: unsupported certificate", SAYS_GO },
                         { "received fatal alert: UnsupportedCertificate", SAYS_RUST }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("Its extended key usage has no clientAuth; often the server's certificate is used for a "
                 "standby or a pooler as well."), SHOW_CERT,
              N_("Issue one with clientAuth: pgseal client."), TEST_NONE } },
        .source = "OpenSSL ssl/statem/statem_lib.c, x509table",
    },
    {
        .id = "client-cert-weak",
        .title = N_("the client's certificate is too weak or not valid yet"),
        .patterns = SAYS({ DETAIL_AT "{depth}: CA signature digest algorithm too weak", SAYS_SERVER, 16 },
                         { DETAIL_AT "{depth}: CA md too weak", SAYS_SERVER, 16 },
                         { DETAIL_AT "{depth}: EE certificate key too weak", SAYS_SERVER, 16 },
                         { DETAIL_AT "{depth}: CA certificate key too weak", SAYS_SERVER, 16 },
                         { DETAIL_AT "{depth}: certificate is not yet valid", SAYS_SERVER, 16 },
                         { "alert bad certificate", SAYS_OPENSSL },
                         { "Received fatal alert: bad_certificate", SAYS_JDBC },
                         { "tls: bad certificate", SAYS_GO },
                         { "received fatal alert: BadCertificate", SAYS_RUST }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("Its key is below 2048 bits, or it or its CA is signed with SHA-1, and the server's OpenSSL "
                 "is at security level 2."), SHOW_CERT, N_("Issue it again: pgseal client --renew."),
              TEST_NONE },
            { N_("It is not valid yet, or the server's clock is slow."), SHOW_CERT,
              N_("Set the clock, or issue it again."), TEST_NONE } },
        .source = "OpenSSL ssl/statem/statem_lib.c, x509table",
    },
    {
        .id = "client-cert-refused",
        .title = N_("the other side refuses the client's certificate without a reason"),
        .patterns = SAYS({ "alert certificate unknown", SAYS_OPENSSL },
                         { "Received fatal alert: certificate_unknown", SAYS_JDBC },
                         { "tls: unknown certificate", SAYS_GO },
                         { "alert decrypt error", SAYS_OPENSSL },
                         { "alert access denied", SAYS_OPENSSL }),
        .rank = RANK_PRECISE,
        .causes = {
            { N_("What answers is not PostgreSQL, which sends other alerts, but a proxy or a pooler "
                 "that verifies certificates itself."), SHOW_SERVED,
              N_("Read the log of that proxy."), TEST_NONE } },
        .source = "RFC 8446 6.2",
    },
    {
        .id = "client-cert-demanded",
        .title = N_("what answers demands a client certificate during the handshake"),
        .patterns = SAYS({ "alert certificate required", SAYS_OPENSSL },
                         { "Received fatal alert: certificate_required", SAYS_JDBC },
                         { "tls: certificate required", SAYS_GO },
                         { "received fatal alert: CertificateRequired", SAYS_RUST },
                         { "peer did not return a certificate", SAYS_OPENSSL },
                         { "TLS client certificate required", SAYS_PGBOUNCER }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("A pooler or a gateway in front wants one (PgBouncer: client_tls_sslmode = verify-ca or "
                 "verify-full, which mean the client's certificate there); PostgreSQL itself never sends "
                 "this."), SHOW_SERVED,
              N_("Give the client its certificate: sslcert and sslkey."), TEST_NONE } },
        .source = "RFC 8446 6.2, certificate_required; PgBouncer config.md, client_tls_sslmode",
    },
    {
        .id = "client-cert-not-sent",
        .title = N_("the line of pg_hba.conf wants a client certificate, and none came"),
        .patterns = SAYS({ "connection requires a valid client certificate", SAYS_SERVER },
                         { "la conexión requiere un certificado de cliente válido", SAYS_SERVER, SPANISH }),
        .sqlstate = "28000",
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("The client has no sslcert and sslkey, or the default files ~/.postgresql/postgresql.crt "
                 "and .key are not there: libpq says nothing when a file is missing."),
              "ls -l ~/.postgresql/", N_("Give it a certificate: pgseal client {role}."), TEST_NONE },
            { N_("sslcertmode=disable, or a driver that was not told of the certificate."), NULL,
              N_("Give the driver its own names for certificate and key; pgseal client prints them."),
              TEST_NONE } },
        .source = "src/backend/libpq/auth.c, ClientAuthentication",
    },
    {
        .id = "client-cert-role-mismatch",
        .title = N_("the certificate is good, and its name is not the role's"),
        .patterns = SAYS({ "certificate authentication failed for user \"{role}\"", SAYS_SERVER },
                         { "la autentificación por certificado falló para el usuario «{role}»", SAYS_SERVER,
                           SPANISH }),
        .sqlstate = "28000",
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("The client connects as a role that is not the CN of its certificate."), SHOW_CERT,
              N_("Connect with user= the CN, or issue a certificate for that role."), TEST_NONE },
            { N_("A map is meant to translate the name, and the line of pg_hba.conf has no map= option, or "
                 "pg_ident.conf no line for it."), "grep -n map= pg_hba.conf",
              N_("Write map=NAME on the line and a line of that map into pg_ident.conf, and reload."),
              TEST_HBA_LINE } },
        .source = "src/backend/libpq/auth.c, CheckCertAuth; hba.c, check_usermap",
    },
    {
        .id = "client-cert-no-name",
        .title = N_("the client's certificate has no common name"),
        .patterns = SAYS({ "certificate authentication failed for user \"{role}\": client certificate contains "
                           "no user name", SAYS_SERVER },
                         { "la autentificación con certificado falló para el usuario «{role}»: el "
                           "certificado de cliente no contiene un nombre de usuario", SAYS_SERVER, SPANISH },
                         { "la autentificación por certificado falló para el usuario «{role}»: el "
                           "certificado de cliente no contiene un nombre de usuario", SAYS_SERVER, SPANISH }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("ACME and other CAs leave the CN out; method cert needs it, or clientname=DN."), SHOW_CERT,
              N_("Issue one with the role as CN, or use clientname=DN with a map."), TEST_NONE } },
        .source = "src/backend/libpq/auth.c, CheckCertAuth",
    },
    {
        .id = "clientcert-name-mismatch",
        .title = N_("clientcert=verify-full: the certificate's CN is not the role"),
        .patterns = SAYS({ "certificate validation (clientcert=verify-full) failed for user \"{role}\"",
                           SAYS_SERVER, 12 },
                         { "la validación de certificado (clientcert=verify-full) falló para el usuario "
                           "«{role}»", SAYS_SERVER, 12, 0, "es" }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("With scram and other methods no map applies: the CN must equal the role. The client is "
                 "told that the other method failed."), SHOW_CERT,
              N_("Issue a certificate for that role, or use clientcert=verify-ca."), TEST_NONE } },
        .source = "src/backend/libpq/auth.c, CheckCertAuth",
    },
    {
        .id = "no-map-entry",
        .title = N_("no line of the map in pg_ident.conf fits the certificate's name and the role"),
        .patterns = SAYS({ "no match in usermap \"{map}\" for user \"{role}\" authenticated as \"{identity}\"",
                           SAYS_SERVER },
                         { "no hay coincidencia en el mapa «{map}» para el usuario «{role}» autentificado "
                           "como «{identity}»", SAYS_SERVER, SPANISH }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("The map has no line for this pair, or it was written and not reloaded. The comparison is "
                 "case-sensitive."), "grep -n {map} pg_ident.conf",
              N_("Add a line: {map} \"{identity}\" {role}, and reload."), TEST_NONE } },
        .source = "src/backend/libpq/hba.c, check_usermap",
    },
    {
        .id = "no-client-ca",
        .title = N_("a line wants client certificates, and the server has no CA to check them with"),
        .patterns = SAYS({ "client certificates can only be checked if a root certificate store is available",
                           SAYS_SERVER },
                         { "los certificados de cliente sólo pueden verificarse si un almacén de "
                           "certificado raíz está disponible", SAYS_SERVER, SPANISH }),
        .sqlstate = "F0000",
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("ssl_ca_file is empty. pg_hba.conf loads all the same, and every connection on that line "
                 "fails."), "psql -c 'show ssl_ca_file'",
              N_("Set ssl_ca_file to the root CA of the clients, and reload."), TEST_CA_FILE } },
        .source = "src/backend/libpq/auth.c, ClientAuthentication",
    },
    { .id = NULL }
};
