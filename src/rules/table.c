/* table.c - every rule, in the order of the manual (see rule.h). */
#include "rules/tests.h"

/* Chapters of the PostgreSQL manual that many rules cite. */
#define PG_HBA      { STD_PG, "The pg_hba.conf File" }
#define PG_TLS      { STD_PG, "Secure TCP/IP Connections with SSL" }
#define PG_SETTINGS { STD_PG, "Connections and Authentication" }
#define PG_CERT     { STD_PG, "Certificate Authentication" }
#define PG_MAPS     { STD_PG, "User Name Maps" }
#define PG_LIBPQ    { STD_PG, "SSL Support" }

static const struct rule table[] = {
    /* ---- the way in ---- */
    { .id = "tls-off", .severity = SEV_CRITICAL, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("TLS is off"),
      .why = N_("Passwords, queries and rows cross the network as they are: whoever sees the packets has "
                "them, and can change them."),
      .cure = N_("Switch TLS on: \"pgseal secure\" makes what is missing and proves the result."),
      .sources = { { STD_CIS, "6.8" }, { STD_STIG, "CD16-00-004900" }, { STD_PCI, "4.2.1" }, PG_TLS },
      .test = rule_tls_off },
    { .id = "plaintext-accepted", .severity = SEV_HIGH, .modes = RULE_SCAN,
      .title = N_("The server talks to clients that do not use TLS"),
      .why = N_("Whoever sits between client and server can answer \"no TLS here\"; a client with "
                "sslmode=prefer, which is the default, then goes on in plaintext without a word."),
      .cure = N_("Write hostssl in place of host (and of hostnossl) in pg_hba.conf and reload, or run "
                 "\"pgseal secure\"; clients need sslmode=verify-full."),
      .sources = { PG_HBA, { STD_CIS, "5.8" }, { STD_PCI, "4.2.1" } },
      .test = rule_plaintext_accepted },
    { .id = "replication-plaintext", .severity = SEV_HIGH, .modes = RULE_SCAN,
      .title = N_("Replication is accepted without TLS"),
      .why = N_("A replication connection carries every change of every table: one packet capture has "
                "the whole database."),
      .cure = N_("Let the replication lines of pg_hba.conf begin with hostssl, and give the standbys "
                 "sslmode=verify-full in primary_conninfo."),
      .sources = { { STD_CIS, "7.5" }, PG_HBA },
      .test = rule_replication_plaintext },
    { .id = "password-plaintext", .severity = SEV_CRITICAL, .modes = RULE_SCAN,
      .title = N_("The server asks for the password itself, without TLS"),
      .why = N_("The password crosses the network readable: whoever sees one login can log in from then "
                "on."),
      .cure = N_("Use scram-sha-256 in place of password, ldap, radius or pam on connections without TLS, "
                 "or let those lines begin with hostssl."),
      .sources = { { STD_STIG, "CD16-00-003900" }, { STD_PG, "Password Authentication" } },
      .test = rule_password_plaintext },
    { .id = "trust-auth", .severity = SEV_CRITICAL, .modes = RULE_SCAN,
      .title = N_("The server lets clients in without any proof"),
      .why = N_("The client says who it is and is believed: everybody who reaches the port is every role, "
                "superusers too."),
      .cure = N_("Replace trust by scram-sha-256 or cert in the line of pg_hba.conf."),
      .sources = { { STD_CIS, "5.4" }, { STD_PG, "Trust Authentication" } },
      .test = rule_trust_auth },
    { .id = "auth-md5", .severity = SEV_MEDIUM, .modes = RULE_SCAN,
      .title = N_("Passwords are proven with MD5"),
      .why = N_("The stored MD5 hash is as good as the password, and a login that is overheard can be "
                "guessed offline at billions of tries a second."),
      .cure = N_("Set password_encryption = 'scram-sha-256', let each role set its password anew, then "
                 "write scram-sha-256 in pg_hba.conf."),
      .sources = { { STD_STIG, "CD16-00-003900" }, { STD_PG, "Password Authentication" } },
      .test = rule_auth_md5 },
    { .id = "scram-plus-missing", .severity = SEV_LOW, .modes = RULE_SCAN,
      .title = N_("SCRAM without channel binding"),
      .why = N_("Without channel binding a man in the middle who has any certificate that the client "
                "accepts can pass the login on."),
      .cure = N_("Connect to the server itself, not through a proxy with a certificate of its own; use a "
                 "certificate signed with SHA-256; clients may insist with channel_binding=require."),
      .sources = { { STD_RFC, "RFC 5929" }, PG_LIBPQ },
      .test = rule_scram_plus_missing },
    { .id = "stuffing-vulnerable", .severity = SEV_HIGH, .modes = RULE_SCAN,
      .title = N_("Bytes sent before the handshake are used after it"),
      .why = N_("A man in the middle can put commands in front of the client's encrypted ones, and the "
                "server takes them for the client's."),
      .cure = N_("Update PostgreSQL to 14.1, 13.5, 12.9, 11.14, 10.19, 9.6.24 or newer; PgBouncer to "
                 "1.16.1 or newer."),
      .sources = { { STD_CVE, "CVE-2021-23214" }, { STD_CVE, "CVE-2021-3935" } },
      .test = rule_stuffing_vulnerable },
    { .id = "direct-tls-no-alpn", .severity = SEV_MEDIUM, .modes = RULE_SCAN,
      .title = N_("Direct TLS without the protocol's name"),
      .why = N_("Without ALPN an attacker can steer a browser's or another protocol's TLS connection to "
                "this port, where the certificate fits (ALPACA)."),
      .cure = N_("Let the proxy in front of PostgreSQL demand ALPN \"postgresql\"."),
      .sources = { { STD_PG, "SSL Session Encryption" }, { STD_RFC, "RFC 7301" } },
      .test = rule_direct_tls_no_alpn },
    { .id = "negotiation-endless", .severity = SEV_MEDIUM, .modes = RULE_SCAN,
      .title = N_("Requests for encryption are answered again and again"),
      .why = N_("Each declined request for TLS or GSSAPI that is followed by another one goes a step deeper "
                "into the server's stack, until the process dies: nobody needs to log in for that."),
      .cure = N_("Update to 18.4, 17.10, 16.14, 15.18, 14.23 or later."),
      .sources = { { STD_CVE, "CVE-2026-6479" } },
      .test = rule_negotiation_endless },
    { .id = "handshake-broken", .severity = SEV_HIGH, .modes = RULE_SCAN,
      .title = N_("TLS is offered, and no handshake succeeds"),
      .why = N_("Clients that insist on TLS cannot connect; those that do not fall back to plaintext."),
      .cure = N_("Look into the server's log for \"could not accept SSL connection\", then give that line "
                 "to \"pgseal explain\"."),
      .sources = { { STD_OPS, "no client can use what is offered" } },
      .test = rule_handshake_broken },
    { .id = "no-answer", .severity = SEV_INFO, .modes = RULE_SCAN,
      .title = N_("Nobody answers at the port"),
      .why = N_("What does not answer could not be examined; it is not known to be safe."),
      .cure = N_("Check address, port and firewall, then look again."),
      .sources = { { STD_OPS, "inventory" } },
      .test = rule_no_answer },
    { .id = "not-postgres", .severity = SEV_INFO, .modes = RULE_SCAN,
      .title = N_("Something else than PostgreSQL answers"),
      .why = N_("Another service at a database port is either a mistake in the inventory or somebody's "
                "surprise."),
      .cure = N_("Find out what listens there, and take it off the list or off the machine."),
      .sources = { { STD_OPS, "inventory" } },
      .test = rule_not_postgres },
    { .id = "version-disclosed", .severity = SEV_INFO, .modes = RULE_SCAN,
      .title = N_("The version can be told before login"),
      .why = N_("The file and line in an error message tell a stranger the minor version, and with it "
                "which known holes are open."),
      .cure = N_("Keep to the current minor version; let only known networks reach the port."),
      .sources = { { STD_OPS, "PostgreSQL release notes" } },
      .test = rule_version_disclosed },

    /* ---- protocol and ciphers ---- */
    { .id = "tls-legacy-version", .severity = SEV_HIGH, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("TLS 1.0 or 1.1 is accepted"),
      .why = N_("Both rest on MD5 and SHA-1 and were taken out of use by RFC 8996; auditors fail a server "
                "that still speaks them."),
      .cure = N_("Set ssl_min_protocol_version = 'TLSv1.2' and reload; libpq since 9.4 can do it."),
      .sources = { { STD_RFC, "RFC 8996" }, { STD_CIS, "6.9" }, { STD_NIST, "3.1" }, PG_SETTINGS },
      .test = rule_tls_legacy_version,
      .seen = seen_legacy_version },
    { .id = "no-tls13", .severity = SEV_MEDIUM, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("TLS 1.3 is not possible"),
      .why = N_("TLS 1.3 hides the certificates, has no weak suites left and always has forward secrecy; "
                "NIST demands it since 2024."),
      .cure = N_("Leave ssl_max_protocol_version empty and use OpenSSL 1.1.1 or newer."),
      .sources = { { STD_NIST, "3.1" }, { STD_CIS, "6.9" }, { STD_SSLLABS, "A- without TLS 1.3" } },
      .test = rule_no_tls13,
      .seen = seen_no_tls13 },
    { .id = "cipher-null-anon", .severity = SEV_CRITICAL, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("Suites without encryption or without a certificate"),
      .why = N_("A NULL suite sends everything readable inside \"TLS\"; an anonymous one lets anybody be "
                "the server."),
      .cure = N_("Set ssl_ciphers = 'ECDHE+AESGCM:ECDHE+CHACHA20' and reload, or leave the choice to "
                 "\"pgseal secure\"."),
      .sources = { { STD_SSLLABS, "grade F" }, { STD_CIS, "6.10" } },
      .test = rule_cipher,
      .seen = seen_cipher },
    { .id = "cipher-weak", .severity = SEV_HIGH, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("Broken ciphers are accepted"),
      .why = N_("RC4, DES, 3DES and export ciphers can be broken with what an attacker can rent; a long "
                "database session gives SWEET32 the data that it needs."),
      .cure = N_("Take them out of ssl_ciphers: 'ECDHE+AESGCM:ECDHE+CHACHA20' is enough for every client "
                 "of the last ten years."),
      .sources = { { STD_RFC, "RFC 7465" }, { STD_CVE, "CVE-2016-2183" }, { STD_CIS, "6.10" } },
      .test = rule_cipher,
      .seen = seen_cipher },
    { .id = "cipher-no-fs", .severity = SEV_MEDIUM, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("Suites without forward secrecy are accepted"),
      .why = N_("With static RSA key exchange whoever gets the server's key one day can read all sessions "
                "that were recorded before."),
      .cure = N_("Set ssl_ciphers = 'ECDHE+AESGCM:ECDHE+CHACHA20' and reload; TLS 1.3 is not touched by "
                 "it."),
      .sources = { { STD_CIS, "6.10" }, { STD_MOZILLA, "intermediate 6.0" }, { STD_NIST, "3.3.1" } },
      .test = rule_cipher,
      .seen = seen_cipher },
    { .id = "cipher-cbc", .severity = SEV_LOW, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("CBC suites are accepted"),
      .why = N_("CBC suites authenticate after decrypting, which was the way in for POODLE and Lucky 13; "
                "AEAD suites cannot have that fault."),
      .cure = N_("Set ssl_ciphers = 'ECDHE+AESGCM:ECDHE+CHACHA20' and reload."),
      .sources = { { STD_MOZILLA, "intermediate 6.0" }, { STD_SSLLABS, "AEAD" } },
      .test = rule_cipher,
      .seen = seen_cipher },
    { .id = "cipher-list-invalid", .severity = SEV_CRITICAL, .modes = RULE_CHECK,
      .title = N_("A list of cipher suites without a suite"),
      .why = N_("The running server goes on with the list that it had; the next restart fails."),
      .cure = N_("Set ssl_ciphers = 'ECDHE+AESGCM:ECDHE+CHACHA20' and reload."),
      .sources = { PG_SETTINGS },
      .test = rule_cipher_invalid },
    { .id = "dh-weak", .severity = SEV_HIGH, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("Diffie-Hellman group below 2048 bits"),
      .why = N_("A group of 1024 bits is within reach of a state, and once it is done every session with "
                "that group can be read (Logjam)."),
      .cure = N_("Leave ssl_dh_params_file empty: the group built into PostgreSQL has 2048 bits."),
      .sources = { { STD_CVE, "CVE-2015-4000" }, { STD_BSI, "3.6" }, PG_SETTINGS },
      .test = rule_dh_weak,
      .seen = seen_dh_weak },
    { .id = "group-weak", .severity = SEV_MEDIUM, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("A weak curve for the key exchange"),
      .why = N_("Curves below 256 bits are below what NIST and BSI accept; many clients do not offer them, "
                "so the handshake fails."),
      .cure = N_("Set ssl_groups = 'X25519:prime256v1' (before 18: ssl_ecdh_curve = 'prime256v1')."),
      .sources = { { STD_NIST, "3.4.2.2" }, { STD_BSI, "3.6" }, PG_SETTINGS },
      .test = rule_group_weak,
      .seen = seen_group_weak },
    { .id = "no-pq-group", .severity = SEV_INFO, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("No key exchange that withstands quantum computers"),
      .why = N_("What is recorded today can be read when such a computer exists; data that must stay "
                "secret beyond 2030 should be protected now."),
      .cure = N_("With PostgreSQL 18 and OpenSSL 3.5: ssl_groups = 'X25519MLKEM768:X25519:prime256v1'."),
      .sources = { { STD_MOZILLA, "6.0" }, { STD_BSI, "hybrid by 2030" } },
      .test = rule_no_pq_group,
      .seen = seen_no_pq_group },
    { .id = "compression-or-renegotiation", .severity = SEV_HIGH, .modes = RULE_SCAN,
      .title = N_("Compression or renegotiation in TLS"),
      .why = N_("Compression leaks secrets by their length (CRIME), renegotiation lets others put bytes in "
                "front or stop the server, and a missing extended master secret lets sessions be mixed."),
      .cure = N_("Update PostgreSQL and OpenSSL: since 2021 all supported versions have both switched "
                 "off."),
      .sources = { { STD_CVE, "CVE-2012-4929" }, { STD_CVE, "CVE-2021-3449" },
                   { STD_RFC, "RFC 7627" } },
      .test = rule_compression_or_renegotiation },

    /* ---- the server's certificate ---- */
    { .id = "cert-expired", .severity = SEV_CRITICAL,
      .modes = RULE_SCAN | RULE_CHECK | RULE_WATCH,
      .title = N_("The server's certificate has expired"),
      .why = N_("Clients that verify are refused; the others learn to switch verification off. PostgreSQL "
                "itself says nothing, it never looks at its own dates."),
      .cure = N_("Renew it: \"pgseal rotate\" does it under load and proves that the new one is served."),
      .sources = { { STD_SSLLABS, "grade T" }, { STD_RFC, "RFC 5280 4.1.2.5" }, PG_TLS },
      .test = rule_cert_expired },
    { .id = "cert-not-yet-valid", .severity = SEV_CRITICAL, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("The server's certificate is not valid yet"),
      .why = N_("Clients that verify refuse it until that day; mostly a clock is wrong, here or where it "
                "was signed."),
      .cure = N_("Check the clock (timedatectl), then issue the certificate again."),
      .sources = { { STD_RFC, "RFC 5280 4.1.2.5" } },
      .test = rule_cert_not_yet_valid },
    { .id = "cert-expiring", .severity = SEV_MEDIUM,
      .modes = RULE_SCAN | RULE_CHECK | RULE_WATCH,
      .title = N_("The server's certificate is about to expire"),
      .why = N_("On that day every client that verifies stops working, all at the same second."),
      .cure = N_("Renew it now, and let pgseal-rotate.timer do it from then on."),
      .sources = { { STD_PCI, "4.2.1.1" }, { STD_OPS, "renewal at two thirds of the lifetime" } },
      .test = rule_cert_expiring },
    { .id = "cert-self-signed", .severity = SEV_MEDIUM, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("The server's certificate is signed by itself"),
      .why = N_("Every client needs this very certificate, and each renewal has to reach all of them on "
                "the same day; so in practice nobody verifies."),
      .cure = N_("Use a CA: \"pgseal ca init\" and \"pgseal secure\" give the server a certificate whose "
                 "root the clients keep for years."),
      .sources = { { STD_CIS, "6.8" }, { STD_SSLLABS, "grade T" } },
      .test = rule_cert_self_signed },
    { .id = "cert-untrusted", .severity = SEV_HIGH, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("The certificate does not lead to a trusted root"),
      .why = N_("Clients with verify-ca or verify-full and this root refuse the server."),
      .cure = N_("Give the clients the root that signed it, or the server a certificate from their root."),
      .sources = { { STD_STIG, "CD16-00-008400" }, { STD_SSLLABS, "grade T" } },
      .test = rule_cert_untrusted },
    { .id = "chain-incomplete", .severity = SEV_HIGH, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("An intermediate certificate is missing"),
      .why = N_("A client has the root only: without the certificates between, it cannot verify and "
                "refuses the server."),
      .cure = N_("Put the intermediates behind the server's certificate in ssl_cert_file, each behind the "
                 "one that it signed, and reload."),
      .sources = { { STD_RFC, "RFC 8446 4.4.2" }, PG_TLS },
      .test = rule_chain_incomplete },
    { .id = "chain-ca-expired", .severity = SEV_HIGH, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("A CA of the chain has expired"),
      .why = N_("A chain is valid as long as each of its certificates is: clients that verify refuse the "
                "server."),
      .cure = N_("Renew the CA's certificate, then what it signed: \"pgseal ca renew\", \"pgseal rotate\"."),
      .sources = { { STD_RFC, "RFC 5280 6.1.3" } },
      .test = rule_chain_ca_expired },
    { .id = "chain-outlived", .severity = SEV_LOW, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("The certificate outlives the CA that signed it"),
      .why = N_("It stops working when its issuer expires, earlier than its own date says and than a watch "
                "of that date tells."),
      .cure = N_("Replace the issuer first (\"pgseal ca rollover\"), then renew the certificate."),
      .sources = { { STD_RFC, "RFC 5280 6.1.3" } },
      .test = rule_chain_outlived },
    { .id = "name-mismatch", .severity = SEV_HIGH, .modes = RULE_SCAN,
      .title = N_("The certificate is for another name"),
      .why = N_("With sslmode=verify-full the client refuses; with less it would talk to anybody who has a "
                "certificate of the same CA."),
      .cure = N_("Issue a certificate with the name that clients use as a subject alternative name, or let "
                 "them connect by a name that it has."),
      .sources = { PG_LIBPQ, { STD_RFC, "RFC 9525" }, { STD_SSLLABS, "grade M" } },
      .test = rule_name_mismatch },
    { .id = "cert-no-san", .severity = SEV_MEDIUM, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("The certificate has no subject alternative name"),
      .why = N_("Names belong there since 2000; Go clients such as pgx refuse a certificate without one, and "
                "an address in the common name is compared as text, if at all."),
      .cure = N_("Issue it again with the host names as DNS names and the addresses as IP addresses: "
                 "\"pgseal rotate --host NAME\"."),
      .sources = { { STD_RFC, "RFC 9525 2" }, PG_LIBPQ },
      .test = rule_cert_no_san },
    { .id = "key-weak", .severity = SEV_HIGH, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("The server's key is too short"),
      .why = N_("RSA below 2048 bits can be factored by those who want to; OpenSSL refuses it at the default "
                "security level of today's distributions."),
      .cure = N_("Make a new key, EC P-256 or RSA 3072, with \"pgseal rotate\"."),
      .sources = { { STD_NIST, "3.2" }, { STD_SSLLABS, "key strength" }, { STD_MOZILLA, "6.0" } },
      .test = rule_key_weak },
    { .id = "sig-weak", .severity = SEV_HIGH, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("A certificate is signed with SHA-1 or MD5"),
      .why = N_("Somebody else's certificate with the same signature can be made for the price of a car; "
                "clients with OpenSSL 3 refuse it."),
      .cure = N_("Issue it again with SHA-256."),
      .sources = { { STD_NIST, "3.2" }, { STD_SSLLABS, "grade T" }, { STD_RFC, "RFC 9155" } },
      .test = rule_sig_weak },
    { .id = "eku-no-server-auth", .severity = SEV_MEDIUM, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("The certificate is not made for servers"),
      .why = N_("Its extended key usage lacks serverAuth: libpq with verify-ca or verify-full refuses it as "
                "an unsuitable purpose."),
      .cure = N_("Issue it again with extended key usage serverAuth."),
      .sources = { { STD_RFC, "RFC 5280 4.2.1.12" }, { STD_NIST, "3.2.1" } },
      .test = rule_eku_no_server_auth },
    { .id = "cert-lifetime-long", .severity = SEV_LOW, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("The certificate lives too long"),
      .why = N_("A key that leaks stays useful until that day, and a renewal that happens once in ten years "
                "is one that nobody knows how to do."),
      .cure = N_("Issue for at most a year and let it be renewed by itself: pgseal-rotate.timer."),
      .sources = { { STD_CAB, "SC-081v3" }, { STD_MOZILLA, "6.0" } },
      .test = rule_cert_lifetime_long },
    { .id = "key-shared", .severity = SEV_MEDIUM, .modes = RULE_SCAN,
      .title = N_("Several servers have the same key"),
      .why = N_("Who breaks into one of them can be all of them."),
      .cure = N_("Give each server a key of its own."),
      .sources = { { STD_NIST, "SP 800-57" } },
      .test = rule_key_shared },
    { .id = "cert-revoked", .severity = SEV_CRITICAL, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("The server's certificate is revoked"),
      .why = N_("Its CA says that it must not be trusted: mostly because somebody else has the key."),
      .cure = N_("Make a new key and a new certificate: \"pgseal rotate\"."),
      .sources = { { STD_RFC, "RFC 5280 5" } },
      .test = rule_cert_revoked },
    { .id = "served-cert-differs", .severity = SEV_HIGH, .modes = RULE_CHECK,
      .title = N_("The certificate in the file is not the one that is served"),
      .why = N_("The file was renewed, the server was not reloaded: clients still see the old one, and it "
                "will expire although the file looks fine."),
      .cure = N_("Reload the server and look into its log; \"pgseal rotate\" does both and proves it."),
      .sources = { { STD_OPS, "renewed, not reloaded" } },
      .test = rule_served_cert_differs },

    /* ---- the files that settings name ---- */
    { .id = "key-mismatch", .severity = SEV_CRITICAL, .modes = RULE_CHECK,
      .title = N_("The key does not fit the certificate"),
      .why = N_("The running server goes on with what it loaded before; the next restart fails, and at a "
                "reload nothing of TLS is taken over."),
      .cure = N_("Put the pair that was made together into ssl_cert_file and ssl_key_file; the certificate "
                 "of the server itself must stand first in its file."),
      .sources = { PG_TLS },
      .test = rule_key_mismatch },
    { .id = "key-perms", .severity = SEV_CRITICAL, .modes = RULE_CHECK,
      .title = N_("Others can read the private key"),
      .why = N_("Who reads the key can be the server. PostgreSQL refuses to start with such a file, and a "
                "copy that lies beside it is as dangerous."),
      .cure = N_("Give the key to the server's user with mode 0600, or to root with 0640; remove copies."),
      .sources = { { STD_STIG, "CD16-00-004100" }, PG_TLS },
      .test = rule_key_perms },
    { .id = "key-encrypted-no-command", .severity = SEV_HIGH, .modes = RULE_CHECK,
      .title = N_("An encrypted key, and no command that gives its passphrase"),
      .why = N_("The server asks on a terminal that it does not have when the machine starts: after a reboot "
                "the database stays down."),
      .cure = N_("Set ssl_passphrase_command, or store the key without a passphrase and with mode 0600."),
      .sources = { PG_SETTINGS },
      .test = rule_key_encrypted_no_command },
    { .id = "passphrase-no-reload", .severity = SEV_MEDIUM, .modes = RULE_CHECK,
      .title = N_("The passphrase is not asked for at reload"),
      .why = N_("Every reload then leaves TLS as it was: new certificates and new revocation lists are not "
                "taken, and only the log says so."),
      .cure = N_("Set ssl_passphrase_command_supports_reload = on when the command needs no terminal."),
      .sources = { PG_SETTINGS },
      .test = rule_passphrase_no_reload },
    { .id = "file-missing", .severity = SEV_CRITICAL, .modes = RULE_CHECK,
      .title = N_("A file of TLS is missing or cannot be used"),
      .why = N_("The running server goes on with what it loaded; the next restart fails. A folder "
                "ssl_crl_dir that is missing locks out every client certificate instead."),
      .cure = N_("Put the file there, readable for the server's user, or take the setting out."),
      .sources = { PG_TLS },
      .test = rule_file_missing },
    { .id = "ca-key-on-server", .severity = SEV_HIGH, .modes = RULE_CHECK,
      .title = N_("The private key of a CA lies on the server"),
      .why = N_("Who breaks into the server, or finds a base backup, can issue certificates for every role "
                "and every other server."),
      .cure = N_("Move it to where certificates are issued, and remove it here and in the backups."),
      .sources = { { STD_STIG, "CD16-00-004100" } },
      .test = rule_ca_key_on_server },
    { .id = "client-ca-missing", .severity = SEV_CRITICAL, .modes = RULE_CHECK,
      .title = N_("Client certificates are demanded, and no CA is known"),
      .why = N_("Without ssl_ca_file the server never asks for a certificate: nobody who falls under such a "
                "line can log in, and the server starts without a word about it."),
      .cure = N_("Set ssl_ca_file to the certificates of the CA that signs client certificates."),
      .sources = { PG_CERT, PG_TLS },
      .test = rule_client_ca_missing },
    { .id = "client-ca-wide", .severity = SEV_HIGH, .modes = RULE_SCAN | RULE_CHECK,
      .title = N_("Client certificates of a public CA are accepted"),
      .why = N_("Anybody can buy a certificate from a public CA: the name in it is then all that stands "
                "between a stranger and a role."),
      .cure = N_("Let ssl_ca_file hold the CA of your own clients only; it need not be the one that signed "
                 "the server's certificate."),
      .sources = { { STD_STIG, "CD16-00-008400" }, PG_CERT },
      .test = rule_client_ca_wide,
      .seen = seen_client_ca_wide },
    { .id = "crl-missing", .severity = SEV_MEDIUM, .modes = RULE_CHECK,
      .title = N_("Client certificates cannot be revoked"),
      .why = N_("A certificate that was stolen, or whose owner has left, opens the database until it "
                "expires."),
      .cure = N_("Publish revocation lists and name them in ssl_crl_file; \"pgseal secure\" and "
                 "\"pgseal rotate\" keep them fresh."),
      .sources = { { STD_STIG, "CD16-00-004000" }, PG_SETTINGS },
      .test = rule_crl_missing },
    { .id = "crl-expired", .severity = SEV_HIGH, .modes = RULE_CHECK | RULE_WATCH,
      .title = N_("A revocation list has expired"),
      .why = N_("Every client certificate is refused, and the message that clients get speaks of an expired "
                "certificate."),
      .cure = N_("Publish a new list and reload: \"pgseal rotate --crl-only\"."),
      .sources = { { STD_RFC, "RFC 5280 5.1.2.5" }, PG_SETTINGS },
      .test = rule_crl_expired },
    { .id = "crl-expiring", .severity = SEV_MEDIUM, .modes = RULE_CHECK | RULE_WATCH,
      .title = N_("A revocation list is about to expire"),
      .why = N_("When it does, every client certificate is refused at once."),
      .cure = N_("Publish a new list now, and let pgseal-rotate.timer do it from then on."),
      .sources = { { STD_RFC, "RFC 5280 5.1.2.5" } },
      .test = rule_crl_expiring },
    { .id = "crl-issuer-mismatch", .severity = SEV_HIGH, .modes = RULE_CHECK,
      .title = N_("A revocation list is from another CA"),
      .why = N_("The server starts with it, and then either nobody with a certificate gets in, because the "
                "list of the right CA is missing, or what the list says counts for nobody."),
      .cure = N_("Put a list of each CA of ssl_ca_file, the root included, into ssl_crl_file."),
      .sources = { { STD_RFC, "RFC 5280 6.3.3" }, PG_SETTINGS },
      .test = rule_crl_issuer_mismatch },
    { .id = "crl-with-cert", .severity = SEV_HIGH, .modes = RULE_CHECK,
      .title = N_("A certificate among the revocation lists is trusted"),
      .why = N_("The server loads ssl_crl_file as a file of trusted things: a certificate in it counts as a "
                "CA of clients, though ssl_ca_file does not have it."),
      .cure = N_("Take the certificate out of that file; CAs of clients belong into ssl_ca_file."),
      .sources = { PG_CERT, { STD_STIG, "CD16-00-008400" } },
      .test = rule_crl_with_cert },

    /* ---- pg_hba.conf ---- */
    { .id = "hba-plaintext", .severity = SEV_HIGH, .modes = RULE_CHECK,
      .title = N_("Clients get in over the network without TLS"),
      .why = N_("Such a line matches with and without TLS: it is enough that somebody on the way answers "
                "\"no TLS\", or that a client asks for none, and everything is readable."),
      .cure = N_("Let the line begin with hostssl, when all clients can use TLS; \"pgseal status\" says "
                 "which ones do not yet. What came by it in plaintext then falls to the lines below: "
                 "look again until none is left, or let \"pgseal check --fix\" close all of them at once."),
      .sources = { PG_HBA, { STD_CIS, "5.8" }, { STD_PCI, "4.2.1" } },
      .test = rule_hba_plaintext },
    { .id = "hba-shadowed", .severity = SEV_HIGH, .modes = RULE_CHECK,
      .title = N_("A line that can never be reached"),
      .why = N_("The first line that matches decides. What this one demands, or grants, never happens: "
                "whoever wrote it believes otherwise."),
      .cure = N_("Move it in front of the lines that cover it, or take it out."),
      .sources = { PG_HBA },
      .test = rule_hba_shadowed },
    { .id = "hba-weaker-first", .severity = SEV_MEDIUM, .modes = RULE_CHECK,
      .title = N_("A weaker line comes before a stricter one"),
      .why = N_("A part of those for whom the stricter line was written is let in by the weaker one."),
      .cure = N_("Put the stricter line first, or narrow the weaker one."),
      .sources = { PG_HBA },
      .test = rule_hba_weaker_first },
    { .id = "hba-trust", .severity = SEV_CRITICAL, .modes = RULE_CHECK,
      .title = N_("A line lets clients in without any proof"),
      .why = N_("The client says who it is and is believed: everybody who reaches the port is every role that "
                "the line names."),
      .cure = N_("Replace trust by scram-sha-256 or cert; on a local line, by peer."),
      .sources = { { STD_CIS, "5.3" }, { STD_CIS, "5.4" }, { STD_PG, "Trust Authentication" } },
      .test = rule_hba_trust },
    { .id = "hba-password-plaintext", .severity = SEV_CRITICAL, .modes = RULE_CHECK,
      .title = N_("Passwords cross the network readable"),
      .why = N_("The methods password, ldap, radius and pam send the password itself: without TLS, everybody "
                "on the way has it."),
      .cure = N_("Let the line begin with hostssl, or use scram-sha-256."),
      .sources = { { STD_CIS, "5.3" }, { STD_STIG, "CD16-00-003900" },
                   { STD_PG, "Password Authentication" } },
      .test = rule_hba_password_plaintext },
    { .id = "hba-md5", .severity = SEV_MEDIUM, .modes = RULE_CHECK,
      .title = N_("Passwords are proven with MD5"),
      .why = N_("A login that is overheard can be guessed offline, and the stored hash is as good as the "
                "password. The method is deprecated since PostgreSQL 18."),
      .cure = N_("Let the roles set their passwords anew under password_encryption = 'scram-sha-256', then "
                 "write scram-sha-256."),
      .sources = { { STD_STIG, "CD16-00-003900" }, { STD_PG, "Password Authentication" } },
      .test = rule_hba_md5 },
    { .id = "hba-ident", .severity = SEV_HIGH, .modes = RULE_CHECK,
      .title = N_("The client's own machine says who it is"),
      .why = N_("The ident protocol asks the client's machine: whoever is root there, or answers in its "
                "place, is any role."),
      .cure = N_("Use cert or scram-sha-256 over the network; on a local line ident means peer."),
      .sources = { { STD_CIS, "5.3" }, { STD_PG, "Ident Authentication" } },
      .test = rule_hba_ident },
    { .id = "hba-replication-plaintext", .severity = SEV_HIGH, .modes = RULE_CHECK,
      .title = N_("Replication gets in without TLS"),
      .why = N_("A replication connection carries every change of every table, passwords' hashes included."),
      .cure = N_("Let the replication lines begin with hostssl, and give the standbys sslmode=verify-full in "
                 "primary_conninfo. The word all does not cover replication. Change all lines that replication "
                 "reaches: plaintext falls to the next one."),
      .sources = { { STD_CIS, "7.5" }, PG_HBA },
      .test = rule_hba_replication_plaintext },
    { .id = "hba-hostssl-dead", .severity = SEV_HIGH, .modes = RULE_CHECK,
      .title = N_("hostssl lines while TLS is off"),
      .why = N_("Such a line can match nobody as long as ssl is off: those whom it names are refused, or "
                "fall through to a weaker line."),
      .cure = N_("Switch TLS on: \"pgseal secure\"."),
      .sources = { PG_HBA },
      .test = rule_hba_hostssl_dead },
    { .id = "hba-syntax", .severity = SEV_CRITICAL, .modes = RULE_CHECK,
      .title = N_("The server cannot read a line of pg_hba.conf"),
      .why = N_("One such line, and a reload keeps all old rules while a restart fails: what was changed since "
                "does not count, and nobody sees it."),
      .cure = N_("Mend the line, reload, and look at pg_hba_file_rules."),
      .sources = { PG_HBA },
      .test = rule_hba_syntax },
    { .id = "hba-wide-open", .severity = SEV_LOW, .modes = RULE_CHECK,
      .title = N_("Every role from every address to every database"),
      .why = N_("The whole Internet may try passwords, and a role that was made for one machine works from "
                "everywhere."),
      .cure = N_("Write one line for each application: its database, its role, its network."),
      .sources = { PG_HBA, { STD_CIS, "5.3" } },
      .test = rule_hba_wide_open },

    { .id = "client-cert-never-asked", .severity = SEV_HIGH, .modes = RULE_CHECK,
      .title = N_("A client certificate that is never asked for"),
      .why = N_("The line that demands the certificate stands below one that takes the same connections "
                "with less: everybody logs in as if it were not there."),
      .cure = N_("Put the certificate line first, for the roles, databases or networks that must have one; "
                 "to ask for both, write scram-sha-256 clientcert=verify-full."),
      .sources = { PG_HBA, { STD_PG, "Certificate Authentication" } },
      .test = rule_client_cert_never_asked },
    { .id = "hba-clientcert-word", .severity = SEV_HIGH, .modes = RULE_CHECK,
      .title = N_("A word of clientcert that does not do what it says"),
      .why = N_("The words changed their meaning: up to 11 verify-ca and verify-full silently mean off, and "
                "from 14 on 1, 0 and no-verify make the server refuse the whole file."),
      .cure = N_("Write clientcert=1 up to 11; from 12 on verify-ca or verify-full."),
      .sources = { PG_HBA, { STD_PG, "Certificate Authentication" } },
      .test = rule_hba_clientcert_word },
    { .id = "hba-ipv6-open", .severity = SEV_HIGH, .modes = RULE_CHECK,
      .title = N_("What IPv4 forbids, IPv6 allows"),
      .why = N_("IPv4 and IPv6 lines never match each other: who was kept from plaintext over the one comes "
                "in over the other, and many networks have both."),
      .cure = N_("Write the same for ::/0 as for 0.0.0.0/0, or all in place of both."),
      .sources = { PG_HBA },
      .test = rule_hba_ipv6_open },
    { .id = "hba-samenet-wide", .severity = SEV_MEDIUM, .modes = RULE_CHECK,
      .title = N_("samenet stands for a large network"),
      .why = N_("The word takes the network mask of each interface: in a cloud or behind a VPN that may be "
                "tens of thousands of machines of strangers."),
      .cure = N_("Write the network that is meant, such as 10.1.2.0/24."),
      .sources = { PG_HBA },
      .test = rule_hba_samenet_wide },
    { .id = "hba-host-by-dns", .severity = SEV_LOW, .modes = RULE_CHECK,
      .title = N_("The DNS decides who gets in"),
      .why = N_("The server asks the DNS for the name of each client and for the addresses of that name: "
                "whoever can answer in its place gets in, and when it is slow or gone nobody does."),
      .cure = N_("Write addresses or networks in place of host names."),
      .sources = { PG_HBA },
      .test = rule_hba_host_by_dns },
    { .id = "hba-quoted-regex", .severity = SEV_MEDIUM, .modes = RULE_CHECK,
      .title = N_("A quoted name that is a regular expression"),
      .why = N_("From 16 on a name that begins with \"/\" is a regular expression, and quotes do not change "
                "that: the line lets in more, or others, than its name says."),
      .cure = N_("Write the expression that is meant with ^ and $, or another name."),
      .sources = { PG_HBA },
      .test = rule_hba_quoted_regex },
    { .id = "hba-name-case", .severity = SEV_HIGH, .modes = RULE_CHECK,
      .title = N_("A keyword that is read as a name"),
      .why = N_("Keywords are written in small letters and without quotes. ALL is a role, a database or a "
                "host of that name: the line does not do what it looks like, and nothing complains."),
      .cure = N_("Write all, sameuser, samerole, replication, samehost and samenet in small letters."),
      .sources = { PG_HBA },
      .test = rule_hba_name_case },

    /* ---- pg_ident.conf ---- */
    { .id = "ident-syntax", .severity = SEV_HIGH, .modes = RULE_CHECK,
      .title = N_("The server cannot read a line of pg_ident.conf"),
      .why = N_("One such line, and none of the file is taken: a reload keeps the old maps, after a restart "
                "there are none."),
      .cure = N_("Mend the line and reload; from 15 on pg_ident_file_mappings shows what is wrong."),
      .sources = { PG_MAPS },
      .test = rule_ident_syntax },
    { .id = "ident-map-wide", .severity = SEV_CRITICAL, .modes = RULE_CHECK,
      .title = N_("A map lets anybody be a role of his choice"),
      .why = N_("Every name that is proven, by certificate or by the operating system, may become this role: "
                "one valid certificate of any kind is enough."),
      .cure = N_("Write the names one by one, or a regular expression that takes the role from the name: "
                 "/^([a-z]+)@example\\.net$ and \\1."),
      .sources = { { STD_STIG, "CD16-00-004200" }, PG_MAPS },
      .test = rule_ident_map_wide },
    { .id = "ident-map-unanchored", .severity = SEV_HIGH, .modes = RULE_CHECK,
      .title = N_("A regular expression of a map matches in the middle of names"),
      .why = N_("Without ^ and $ it also matches a name that only contains it: evil-app matches /app."),
      .cure = N_("Begin the expression with ^ and end it with $."),
      .sources = { { STD_STIG, "CD16-00-004200" }, PG_MAPS },
      .test = rule_ident_map_unanchored },
    { .id = "ident-map-missing", .severity = SEV_HIGH, .modes = RULE_CHECK,
      .title = N_("A map that pg_hba.conf names does not exist"),
      .why = N_("Nobody whom that line concerns gets in: every login ends in \"no match in usermap\"."),
      .cure = N_("Add the map to pg_ident.conf, or take the option map out of the line."),
      .sources = { PG_MAPS },
      .test = rule_ident_map_missing },
    { .id = "ident-map-unused", .severity = SEV_INFO, .modes = RULE_CHECK,
      .title = N_("A map that no line uses"),
      .why = N_("It does nothing; it is left over, or the line that should name it does not."),
      .cure = N_("Take it out, or write map=NAME in the line of pg_hba.conf."),
      .sources = { PG_MAPS },
      .test = rule_ident_map_unused },

    /* ---- other settings ---- */
    { .id = "password-encryption-md5", .severity = SEV_MEDIUM, .modes = RULE_CHECK,
      .title = N_("New passwords are stored as MD5"),
      .why = N_("Each password set from now on can be used by whoever reads its hash, and guessed quickly."),
      .cure = N_("Set password_encryption = 'scram-sha-256'; every libpq since 10 can use it."),
      .sources = { { STD_STIG, "CD16-00-003900" }, { STD_PG, "Password Authentication" } },
      .test = rule_password_encryption_md5 },
    { .id = "role-secret-weak", .severity = SEV_MEDIUM, .modes = RULE_CHECK,
      .title = N_("A password is stored as MD5"),
      .why = N_("Whoever reads the hash, in a backup for instance, can log in with it where the method md5 is "
                "allowed, and guess the password fast; SCRAM and channel binding are not possible for the "
                "role."),
      .cure = N_("Let the role set its password anew under password_encryption = 'scram-sha-256'."),
      .sources = { { STD_PG, "Password Authentication" }, { STD_STIG, "CD16-00-003900" } },
      .test = rule_role_secret_weak },
    { .id = "upstream-sslmode-weak", .severity = SEV_MEDIUM, .modes = RULE_CHECK,
      .title = N_("The server itself connects elsewhere without verifying"),
      .why = N_("A standby, a subscription or a foreign server below verify-full gives its password and its "
                "data to whoever stands in the way."),
      .cure = N_("Set sslmode=verify-full and sslrootcert in the connection string."),
      .sources = { { STD_CIS, "7.5" }, PG_LIBPQ },
      .test = rule_upstream_sslmode_weak },
    { .id = "setting-overridden", .severity = SEV_INFO, .modes = RULE_CHECK,
      .title = N_("A setting is overridden elsewhere"),
      .why = N_("Who edits the line that looks right changes nothing: a later file, ALTER SYSTEM or the "
                "command line wins."),
      .cure = N_("Take out the assignment that does not count, or the one that wins."),
      .sources = { { STD_PG, "Setting Parameters" } },
      .test = rule_setting_overridden },
    { .id = "pending-reload", .severity = SEV_MEDIUM, .modes = RULE_CHECK,
      .title = N_("The files say something else than the running server does"),
      .why = N_("What was written is not in force; at the next reload or restart, perhaps in months, the "
                "server behaves otherwise and nobody remembers why."),
      .cure = N_("Reload the server (pg_ctl reload), or restart it where the setting needs that."),
      .sources = { { STD_PG, "Setting Parameters" } },
      .test = rule_pending_reload },
    { .id = "conf-syntax", .severity = SEV_CRITICAL, .modes = RULE_CHECK,
      .title = N_("The server cannot read its configuration"),
      .why = N_("One such line, and a reload takes nothing from any of the files while a restart fails: what "
                "was changed since does not count, and nobody sees it."),
      .cure = N_("Mend the line, reload, and look at pg_file_settings."),
      .sources = { { STD_PG, "Setting Parameters" } },
      .test = rule_conf_syntax },
    { .id = "hosts-syntax", .severity = SEV_CRITICAL, .modes = RULE_CHECK,
      .title = N_("The server cannot read a line of pg_hosts.conf"),
      .why = N_("A reload keeps the certificates that it had, and the next restart fails."),
      .cure = N_("Mend the line: host, certificate, key, then perhaps CA, command and whether it may be run "
                 "at a reload."),
      .sources = { PG_TLS },
      .test = rule_hosts_syntax },
    { .id = "setting-unknown", .severity = SEV_CRITICAL, .modes = RULE_CHECK,
      .title = N_("A setting that this version does not have"),
      .why = N_("A reload takes nothing from any of the files, and the next restart fails: \"unrecognized "
                "configuration parameter\"."),
      .cure = N_("Take the line out, or write what this version calls it."),
      .sources = { { STD_PG, "Setting Parameters" }, PG_SETTINGS },
      .test = rule_setting_unknown },
    { .id = "setting-invalid", .severity = SEV_CRITICAL, .modes = RULE_CHECK,
      .title = N_("A value that the server does not take"),
      .why = N_("The running server goes on with the value that it had; the next restart fails."),
      .cure = N_("Write one of the values that the manual names."),
      .sources = { PG_SETTINGS },
      .test = rule_setting_invalid },

    /* ---- sessions ---- */
    { .id = "live-plaintext", .severity = SEV_HIGH, .modes = RULE_WATCH,
      .title = N_("Sessions cross the network in plaintext"),
      .why = N_("What these sessions send can be read and changed on the way, now."),
      .cure = N_("Set sslmode=verify-full in those clients (\"pgseal client ROLE\" says how), then let "
                 "pg_hba.conf demand TLS."),
      .sources = { { STD_PCI, "12.3.3" }, { STD_PCI, "4.2.1" } } },
    { .id = "live-old-version", .severity = SEV_MEDIUM, .modes = RULE_WATCH,
      .title = N_("Sessions use TLS 1.0 or 1.1"),
      .why = N_("These clients will not connect any more once the old versions are switched off."),
      .cure = N_("Update the client's driver and TLS library, then set ssl_min_protocol_version = 'TLSv1.2'."),
      .sources = { { STD_RFC, "RFC 8996" }, { STD_PCI, "12.3.3" } } },
    { .id = "live-replication-plaintext", .severity = SEV_HIGH, .modes = RULE_WATCH,
      .title = N_("A standby replicates in plaintext"),
      .why = N_("Every change of every table crosses the network readable, now."),
      .cure = N_("Set sslmode=verify-full in primary_conninfo of the standby and restart its walreceiver."),
      .sources = { { STD_CIS, "7.5" }, { STD_PCI, "4.2.1" } } },
    { .id = "live-superuser-plaintext", .severity = SEV_CRITICAL, .modes = RULE_WATCH,
      .title = N_("A superuser works in plaintext over the network"),
      .why = N_("Who can change the packets of this session can run any command on the server's machine."),
      .cure = N_("Connect with sslmode=verify-full or through the Unix-domain socket."),
      .sources = { { STD_PCI, "4.2.1" }, { STD_CIS, "5.8" } } },

    /* ---- packets ---- */
    { .id = "wire-injected", .severity = SEV_CRITICAL, .modes = RULE_CAPTURE,
      .title = N_("Bytes were stuffed in before the handshake"),
      .why = N_("Somebody on the way put bytes in front of the TLS handshake: server or client may take them "
                "for a part of the protected conversation."),
      .cure = N_("Update server and clients (CVE-2021-23214, CVE-2021-23222), then look for who sent them: "
                 "the packets are kept by --write."),
      .sources = { { STD_CVE, "CVE-2021-23214" }, { STD_CVE, "CVE-2021-23222" } },
      .test = rule_wire_injected },
    { .id = "wire-password", .severity = SEV_CRITICAL, .modes = RULE_CAPTURE,
      .title = N_("Passwords cross the wire readable"),
      .why = N_("Whoever saw these packets can log in as that role, from now on."),
      .cure = N_("Change these passwords now. Then use scram-sha-256, and let the lines of pg_hba.conf begin "
                 "with hostssl."),
      .sources = { { STD_PCI, "8.3.2" }, { STD_STIG, "CD16-00-003900" },
                   { STD_PG, "Password Authentication" } },
      .test = rule_wire_password },
    { .id = "wire-md5", .severity = SEV_HIGH, .modes = RULE_CAPTURE,
      .title = N_("MD5 proofs of passwords cross the wire readable"),
      .why = N_("From one overheard login the password can be guessed offline, billions of tries a second."),
      .cure = N_("Set password_encryption = 'scram-sha-256', let each role set its password anew, and demand "
                 "TLS."),
      .sources = { { STD_STIG, "CD16-00-003900" }, { STD_PG, "Password Authentication" } },
      .test = rule_wire_password },
    { .id = "wire-replication", .severity = SEV_HIGH, .modes = RULE_CAPTURE,
      .title = N_("Replication crosses the wire in plaintext"),
      .why = N_("Every change of every table was readable in these packets."),
      .cure = N_("Set sslmode=verify-full in primary_conninfo of the standby, and let the replication lines of "
                 "pg_hba.conf begin with hostssl."),
      .sources = { { STD_CIS, "7.5" }, { STD_PCI, "4.2.1" } },
      .test = rule_wire_readable },
    { .id = "wire-downgraded", .severity = SEV_HIGH, .modes = RULE_CAPTURE,
      .title = N_("Clients asked for TLS and went on without it"),
      .why = N_("The server said no, or somebody on the way said it in its name; the client, with "
                "sslmode=prefer, did not mind."),
      .cure = N_("Set sslmode=verify-full in these clients; if the server itself refuses, switch TLS on with "
                 "\"pgseal secure\"."),
      .sources = { PG_LIBPQ, { STD_PCI, "4.2.1" } },
      .test = rule_wire_readable },
    { .id = "wire-plaintext", .severity = SEV_HIGH, .modes = RULE_CAPTURE,
      .title = N_("Connections cross the wire in plaintext"),
      .why = N_("What was sent in them was readable for whoever sees the packets, and could have been "
                "changed."),
      .cure = N_("Set sslmode=verify-full in these clients (\"pgseal client ROLE\" says how), then let "
                 "pg_hba.conf demand TLS."),
      .sources = { { STD_PCI, "4.2.1" }, PG_TLS },
      .test = rule_wire_readable },
    { .id = "wire-old-version", .severity = SEV_MEDIUM, .modes = RULE_CAPTURE,
      .title = N_("Connections use TLS 1.1 or older"),
      .why = N_("These versions are withdrawn: their handshake is signed with MD5 and SHA-1."),
      .cure = N_("Update the client's driver and TLS library, then set ssl_min_protocol_version = 'TLSv1.2'."),
      .sources = { { STD_RFC, "RFC 8996" }, { STD_PCI, "12.3.3" } },
      .test = rule_wire_version },
    { .id = "wire-weak-suite", .severity = SEV_HIGH, .modes = RULE_CAPTURE,
      .title = N_("Connections use a cipher suite that protects little"),
      .why = N_("NULL encrypts nothing, anonymous suites let anybody be the server, export, RC4 and DES suites "
                "can be broken."),
      .cure = N_("Set ssl_ciphers = 'ECDHE+AESGCM:ECDHE+CHACHA20' on the server and reload; first update the "
                 "clients that know nothing better."),
      .sources = { { STD_RFC, "RFC 9325" }, PG_SETTINGS },
      .test = rule_wire_suite },
    { .id = "wire-failed", .severity = SEV_LOW, .modes = RULE_CAPTURE,
      .title = N_("Handshakes failed"),
      .why = N_("A client that cannot connect is an outage for somebody; one whose user gives in will be told "
                "to switch TLS off."),
      .cure = N_("\"pgseal explain\" tells the cause from the client's or the server's message."),
      .sources = { { STD_OPS, "failed handshakes" } },
      .test = rule_wire_failed },
    { .id = "wire-unknown", .severity = SEV_INFO, .modes = RULE_CAPTURE,
      .title = N_("Connections whose protection could not be seen"),
      .why = N_("They began before the capture, or packets of their beginning are missing: they may be "
                "plaintext."),
      .cure = N_("Capture for longer, on the server itself, with whole packets; or end these sessions, so "
                 "that they connect anew."),
      .sources = { { STD_OPS, "capture from the beginning" } },
      .test = rule_wire_unknown },

    /* ---- pgseal's own files: no source sees them, the verb that reads them adds these ---- */
    { .id = "exception-expired", .severity = SEV_MEDIUM,
      .title = N_("An exception has run out"),
      .why = N_("Somebody accepted a finding until a day that has passed: it counts again, and has to be "
                "decided again."),
      .cure = N_("Cure the finding, or give the exception a new date and a reason that still holds."),
      .sources = { { STD_OPS, "accepted risks have an end" } } },
    { .id = "exception-unused", .severity = SEV_INFO,
      .title = N_("An exception that nothing needs"),
      .why = N_("The finding is gone, or the exception was never spelled right; one day it would hide "
                "something new."),
      .cure = N_("Take it out of the file."),
      .sources = { { STD_OPS, "accepted risks have an end" } } },
};

size_t rules_count(void)
{
    return PS_COUNT(table);
}

const struct rule *rule_at(size_t i)
{
    return &table[i];
}
