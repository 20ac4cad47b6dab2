/*
 * entries_trust.c - the client does not accept the server's certificate.
 *
 * The alert that the server then logs tells the reason: OpenSSL, ssl/statem/statem_lib.c, x509table.  Go
 * (crypto/tls) sends bad_certificate for everything, Java (sun.security.ssl) certificate_unknown.
 */
#include "doctor/says.h"

const struct doctor_entry doctor_trust_entries[] = {
    {
        .id = "server-cert-not-verified",
        .title = N_("the client cannot verify the server's certificate, and does not say why"),
        .patterns = SAYS({ "SSL error: certificate verify failed", SAYS_LIBPQ },
                         { "error de SSL: certificate verify failed", SAYS_LIBPQ, SPANISH },
                         { "The remote certificate is invalid according to the validation procedure",
                           SAYS_DOTNET },
                         { "The remote certificate was rejected by the provided "
                           "RemoteCertificateValidationCallback", SAYS_DOTNET },
                         { "certificate verify failed", SAYS_OPENSSL }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("The root CA of the server's certificate is not in the client's sslrootcert."),
              SHOW_SERVED, N_("Give the client the root CA that the server's chain ends in."), TEST_NONE },
            { N_("The server does not send its intermediate CA."), SHOW_SERVED,
              N_("Append the intermediate to ssl_cert_file, behind the server's own certificate, and "
                 "reload."), TEST_SERVER_CHAIN },
            { N_("The server's certificate has expired."), SHOW_SERVED_CERT,
              N_("Renew it: pgseal rotate."), TEST_SERVER_CERT_DATES },
            { N_("The client has a CRL (sslcrl, or ~/.postgresql/root.crl), and one of a CA of the chain is "
                 "missing or expired, or the server's certificate is on it."),
              "openssl crl -in ~/.postgresql/root.crl -noout -issuer -nextupdate",
              N_("Give the client a current CRL of every CA up to the root."), TEST_NONE },
            { N_("The certificate is too weak (RSA below 2048 bits, SHA-1), not valid yet, or not for "
                 "servers."), SHOW_SERVED_CERT, N_("Issue it again: pgseal rotate."),
              TEST_SERVER_CERT_WEAK } },
        .source = "src/interfaces/libpq/fe-secure-openssl.c, open_client_SSL",
    },
    {
        .id = "server-ca-unknown",
        .title = N_("the client does not know the CA that issued the server's certificate"),
        .patterns = SAYS({ ACCEPT "{} alert unknown ca", SAYS_SERVER },
                         { ACCEPT_ES "{} alert unknown ca", SAYS_SERVER, SPANISH },
                         { "PKIX path building failed", SAYS_JDBC },
                         { "unable to find valid certification path to requested target", SAYS_JDBC },
                         { "PKIX path validation failed: java.security.cert.CertPathValidatorException: "
                           "Path does not chain with any of the trust anchors", SAYS_JDBC },
                         { "x509: certificate signed by unknown authority", SAYS_GO },
                         { "self-signed certificate in certificate chain", SAYS_NODE },
                         { "self signed certificate in certificate chain", SAYS_NODE },
                         { "unable to verify the first certificate", SAYS_NODE },
                         { "unable to get issuer certificate", SAYS_OPENSSL },
                         { "unable to get local issuer certificate", SAYS_OPENSSL },
                         { "certificate verify failed: self-signed certificate", SAYS_PYTHON },
                         { "certificate verify failed: self signed certificate", SAYS_PYTHON },
                         { "certificate verify failed: unable to get local issuer certificate",
                           SAYS_PYTHON },
                         { "SELF_SIGNED_CERT_IN_CHAIN", SAYS_NODE },
                         { "DEPTH_ZERO_SELF_SIGNED_CERT", SAYS_NODE },
                         { "UNABLE_TO_VERIFY_LEAF_SIGNATURE", SAYS_NODE },
                         { "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", SAYS_NODE },
                         { "errors in the certificate chain: UntrustedRoot", SAYS_DOTNET },
                         { "errors in the certificate chain: PartialChain", SAYS_DOTNET },
                         { "invalid peer certificate: UnknownIssuer", SAYS_RUST },
                         { "webpki error: UnknownIssuer", SAYS_RUST }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("The root CA of the server's certificate is not among those that the client trusts: with a "
                 "private CA it must be given to each driver."), SHOW_SERVED,
              N_("Give the root CA to the client (sslrootcert, ssl.ca, RootCAs); pgseal client writes "
                 "what each driver wants. Do not switch verification off."), TEST_NONE },
            { N_("The server does not send its intermediate CA."), SHOW_SERVED,
              N_("Append the intermediate to ssl_cert_file, behind the server's own certificate, and "
                 "reload."), TEST_SERVER_CHAIN },
            { N_("The client has a CRL, and the one of some CA of the chain is missing: OpenSSL sends the "
                 "same alert."), "openssl crl -in ~/.postgresql/root.crl -noout -issuer -nextupdate",
              N_("Give the client a CRL of every CA up to the root."), TEST_NONE },
            { N_("The driver verifies where libpq would not: Node, Npgsql before 8 and others take "
                 "sslmode=require for verification."), NULL,
              N_("Give it the root CA, as every connection should have."), TEST_NONE } },
        .source = "OpenSSL ssl/statem/statem_lib.c, x509table; manual, \"SSL Support\" of libpq",
    },
    {
        .id = "server-cert-expired",
        .title = N_("the server's certificate has expired"),
        .patterns = SAYS({ ACCEPT "{} alert certificate expired", SAYS_SERVER },
                         { ACCEPT_ES "{} alert certificate expired", SAYS_SERVER, SPANISH },
                         { "certificate verify failed: certificate has expired", SAYS_PYTHON },
                         { "certificate has expired", SAYS_NODE },
                         { "CERT_HAS_EXPIRED", SAYS_NODE },
                         { "java.security.cert.CertificateExpiredException: NotAfter: {value}", SAYS_JDBC },
                         { "x509: certificate has expired or is not yet valid: current time {} is after "
                           "{value}", SAYS_GO },
                         { "errors in the certificate chain: NotTimeValid", SAYS_DOTNET },
                         { "invalid peer certificate: Expired", SAYS_RUST },
                         { "invalid peer certificate: certificate expired", SAYS_RUST }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("The server's certificate, or a CA of its chain, has expired. PostgreSQL starts with it and "
                 "says nothing."), SHOW_SERVED_CERT, N_("Renew it: pgseal rotate."),
              TEST_SERVER_CERT_DATES },
            { N_("It was renewed on disk, and the server was not reloaded: it serves the old one."),
              SHOW_SERVED_CERT, N_("Run: pg_ctl reload -D DATADIR"), TEST_NONE },
            { N_("A CRL of the client has expired: OpenSSL sends the same alert."),
              "openssl crl -in ~/.postgresql/root.crl -noout -issuer -nextupdate",
              N_("Give the client a current CRL."), TEST_NONE } },
        .source = "OpenSSL ssl/statem/statem_lib.c, x509table",
    },
    {
        .id = "server-cert-bad",
        .title = N_("the client finds the server's certificate bad: not valid yet, too weak, or anything in "
                    "the eyes of Go"),
        .patterns = SAYS({ ACCEPT "{} alert bad certificate", SAYS_SERVER },
                         { ACCEPT_ES "{} alert bad certificate", SAYS_SERVER, SPANISH },
                         { "certificate is not yet valid", SAYS_OPENSSL },
                         { "CERT_NOT_YET_VALID", SAYS_NODE },
                         { "java.security.cert.CertificateNotYetValidException", SAYS_JDBC },
                         { "x509: certificate has expired or is not yet valid: current time {} is before "
                           "{value}", SAYS_GO },
                         { "invalid peer certificate: NotValidYet", SAYS_RUST },
                         { "x509: cannot verify signature: insecure algorithm SHA1", SAYS_GO },
                         { "PKIX path validation failed: java.security.cert.CertPathValidatorException: "
                           "Algorithm constraints check failed", SAYS_JDBC }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("The client is a Go program: Go sends this alert whatever it dislikes, an unknown CA or "
                 "a wrong name included."), SHOW_SERVED,
              N_("Read the client's own message; most often the root CA or a SAN is missing."),
              TEST_SERVER_NAMES },
            { N_("The certificate is not valid yet, or the client's clock is slow."), SHOW_SERVED_CERT,
              N_("Set the clock, or issue it again."), TEST_SERVER_CERT_DATES },
            { N_("Its key is below 2048 bits, or a signature of the chain uses SHA-1: OpenSSL at security "
                 "level 2 refuses both."), SHOW_SERVED_CERT, N_("Issue it again: pgseal rotate."),
              TEST_SERVER_CERT_WEAK } },
        .source = "OpenSSL ssl/statem/statem_lib.c, x509table; Go crypto/tls/handshake_client.go",
    },
    {
        .id = "server-cert-revoked",
        .title = N_("the server's certificate is revoked, says the client's CRL"),
        .patterns = SAYS({ ACCEPT "{} alert certificate revoked", SAYS_SERVER },
                         { ACCEPT_ES "{} alert certificate revoked", SAYS_SERVER, SPANISH },
                         { "certificate verify failed: certificate revoked", SAYS_PYTHON },
                         { "CERT_REVOKED", SAYS_NODE },
                         { "java.security.cert.CertificateRevokedException", SAYS_JDBC }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("The certificate that the server serves is on a CRL that the client has."),
              SHOW_SERVED_CERT, N_("Issue a new one and reload: pgseal rotate."), TEST_NONE } },
        .source = "OpenSSL ssl/statem/statem_lib.c, x509table",
    },
    {
        .id = "server-cert-not-for-servers",
        .title = N_("the server's certificate is not for servers"),
        .patterns = SAYS({ ACCEPT "{} alert unsupported certificate", SAYS_SERVER },
                         { ACCEPT_ES "{} alert unsupported certificate", SAYS_SERVER, SPANISH },
                         { "x509: certificate specifies an incompatible key usage", SAYS_GO },
                         { "Extended key usage does not permit use for TLS server authentication",
                           SAYS_JDBC },
                         { "invalid peer certificate: InvalidPurpose", SAYS_RUST },
                         { "INVALID_PURPOSE", SAYS_NODE }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("Its extended key usage has no serverAuth; often a client's certificate was installed."),
              SHOW_SERVED_CERT, N_("Issue one with serverAuth: pgseal ca issue server."),
              TEST_SERVER_CERT_USE } },
        .source = "OpenSSL ssl/statem/statem_lib.c, x509table",
    },
    {
        .id = "server-cert-refused-by-java",
        .title = N_("the client refuses the server's certificate as unknown, which is what Java and rustls "
                    "say of every fault"),
        .patterns = SAYS({ ACCEPT "{} alert certificate unknown", SAYS_SERVER },
                         { ACCEPT_ES "{} alert certificate unknown", SAYS_SERVER, SPANISH }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("The client, most often a Java program, does not trust the root CA."), SHOW_SERVED,
              N_("Give it the root CA: sslrootcert in the JDBC URL."), TEST_SERVER_CHAIN },
            { N_("The certificate has expired, or is not for servers."), SHOW_SERVED_CERT,
              N_("Read the client's own message, then renew."), TEST_SERVER_CERT_DATES } },
        .source = "RFC 8446 6.2, certificate_unknown; sun.security.ssl.CertificateMessage",
    },
    {
        .id = "server-name-mismatch",
        .title = N_("the server's certificate is for another name than the client asked for"),
        .patterns = SAYS({ "server certificate for \"{name}\" does not match host name \"{host}\"",
                           SAYS_LIBPQ },
                         { "server certificate for \"{name}\" (and {} other name{}) does not match host name "
                           "\"{host}\"", SAYS_LIBPQ },
                         { "el certificado de servidor para «{name}» no coincide con el nombre de "
                           "servidor «{host}»", SAYS_LIBPQ, SPANISH },
                         { "el certificado de servidor para «{name}» (y {}) no coincide con el nombre de "
                           "servidor «{host}»", SAYS_LIBPQ, SPANISH },
                         { "The hostname {host} could not be verified by hostnameverifier", SAYS_JDBC },
                         { "x509: certificate is valid for {name}, not {host}", SAYS_GO },
                         { "x509: cannot validate certificate for {host} because it doesn't contain any IP "
                           "SANs", SAYS_GO },
                         { "Hostname/IP does not match certificate's altnames: Host: {host}. is not in the "
                           "cert's altnames: {name}", SAYS_NODE },
                         { "Hostname/IP does not match certificate's altnames: IP: {host} is not in the "
                           "cert's list: {name}", SAYS_NODE },
                         { "Hostname/IP does not match certificate's altnames", SAYS_NODE },
                         { "ERR_TLS_CERT_ALTNAME_INVALID", SAYS_NODE },
                         { "certificate verify failed: Hostname mismatch, certificate is not valid for "
                           "'{host}'", SAYS_PYTHON },
                         { "certificate verify failed: IP address mismatch, certificate is not valid for "
                           "'{host}'", SAYS_PYTHON },
                         { "RemoteCertificateNameMismatch", SAYS_DOTNET },
                         { "invalid peer certificate: NotValidForName", SAYS_RUST },
                         { "invalid peer certificate: certificate not valid for name \"{host}\"",
                           SAYS_RUST }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("The client connects by an address, an alias or a short name that is not among the subject "
                 "alternative names of the certificate."), SHOW_SERVED_CERT,
              N_("Connect by a name of the certificate, or issue it with every name and address that clients "
                 "use: pgseal rotate --host NAME."), TEST_SERVER_NAMES },
            { N_("The client connects by an IP address, and libpq is older than 15 or the certificate has it "
                 "as text only: from 15 an iPAddress SAN counts."), SHOW_SERVED_CERT,
              N_("Connect by name with hostaddr for the address, or issue it with the address as an "
                 "iPAddress SAN."), TEST_SERVER_NAMES },
            { N_("Another server, or somebody in the middle, answers at that address."), SHOW_SERVED,
              N_("Compare the fingerprint with that of the server's own file."), TEST_NONE } },
        .source = "src/interfaces/libpq/fe-secure-common.c, pq_verify_peer_name_matches_certificate",
    },
    {
        .id = "server-cert-cn-only",
        .title = N_("the server's certificate has a common name and no subject alternative name"),
        .patterns = SAYS({ "x509: certificate relies on legacy Common Name field", SAYS_GO },
                         { "x509: certificate is not valid for any names, but wanted to match {host}",
                           SAYS_GO },
                         { "No subject alternative names present", SAYS_JDBC },
                         { "No subject alternative DNS name matching {host} found", SAYS_JDBC },
                         { "Hostname/IP does not match certificate's altnames: Cert does not contain a DNS "
                           "name", SAYS_NODE },
                         { "invalid peer certificate: NotValidForNameContext", SAYS_RUST }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("Go, rustls and others do not look at the CN (RFC 6125); libpq still does."),
              SHOW_SERVED_CERT,
              N_("Issue it with the host names as SANs: pgseal rotate --host NAME."), TEST_SERVER_NAMES } },
        .source = "Go crypto/x509/verify.go, HostnameError",
    },
    {
        .id = "server-cert-no-name",
        .title = N_("the server's certificate has no name at all to compare with"),
        .patterns = SAYS({ "could not get server's host name from server certificate", SAYS_LIBPQ },
                         { "no se pudo obtener el nombre de servidor desde el certificado del servidor",
                           SAYS_LIBPQ, SPANISH }),
        .rank = RANK_PRECISE,
        .provoked = true,
        .causes = {
            { N_("Neither a CN nor a SAN."), SHOW_SERVED_CERT,
              N_("Issue it with the host names as SANs: pgseal rotate --host NAME."), TEST_SERVER_NAMES } },
        .source = "src/interfaces/libpq/fe-secure-common.c",
    },
    {
        .id = "server-cert-is-ca",
        .title = N_("the server uses a CA certificate as its own, or an X.509 version 1 certificate"),
        .patterns = SAYS({ "CaUsedAsEndEntity", SAYS_RUST },
                         { "UnsupportedCertVersion", SAYS_RUST }),
        .rank = RANK_PRECISE,
        .causes = {
            { N_("A self-signed certificate as the manual makes it with one openssl command says CA:TRUE or "
                 "is of version 1; rustls takes neither."), SHOW_SERVED_CERT,
              N_("Issue a leaf from a CA: pgseal secure makes both."), TEST_NONE } },
        .source = "rustls/webpki, end_entity.rs",
    },
    {
        .id = "system-roots-missing",
        .title = N_("sslrootcert=system, and the system's CA certificates are not there"),
        .patterns = SAYS({ "SSL error: unregistered scheme", SAYS_LIBPQ, 16 },
                         { "could not load system root certificate paths", SAYS_LIBPQ, 16 },
                         { "x509: failed to load system roots and no roots provided", SAYS_GO },
                         { "the trustAnchors parameter must be non-empty", SAYS_JDBC }),
        .rank = RANK_PRECISE,
        .causes = {
            { N_("A small container image without the package ca-certificates."),
              "openssl version -d",
              N_("Install ca-certificates, or give the root CA as a file."), TEST_NONE } },
        .source = "src/interfaces/libpq/fe-secure-openssl.c, initialize_SSL",
    },
    { .id = NULL }
};
