/*
 * tests.h - the functions that the rows of table.c name, a group for each file.
 */
#ifndef PS_RULE_TESTS_H
#define PS_RULE_TESTS_H

#include "rules/rule.h"

typedef void rule_test(const struct rule *rule, const struct posture *posture,
                       struct findings *out);

/* wire.c: connections as packets show them */
rule_test rule_wire_readable, rule_wire_password, rule_wire_injected, rule_wire_version,
          rule_wire_suite, rule_wire_failed, rule_wire_unknown;

/* server.c: settings */
rule_test rule_tls_off, rule_tls_legacy_version, rule_no_tls13, rule_password_encryption_md5,
    rule_setting_overridden, rule_pending_reload, rule_conf_syntax, rule_setting_unknown,
    rule_setting_invalid, rule_hosts_syntax;

/* cipher.c: suites and groups; rule_cipher is for every row "cipher-..." of a flaw */
rule_test rule_cipher, rule_cipher_invalid, rule_dh_weak, rule_group_weak, rule_no_pq_group;

/* cert.c: the server's certificate and its chain */
rule_test rule_cert_expired, rule_cert_not_yet_valid, rule_cert_expiring, rule_cert_self_signed,
    rule_cert_untrusted, rule_chain_incomplete, rule_chain_ca_expired, rule_chain_outlived,
    rule_cert_no_san, rule_key_weak, rule_sig_weak, rule_eku_no_server_auth, rule_cert_lifetime_long,
    rule_cert_revoked, rule_served_cert_differs;

/* key.c: private keys, and files as the server needs them */
rule_test rule_file_missing, rule_key_mismatch, rule_key_perms, rule_key_encrypted_no_command,
    rule_passphrase_no_reload, rule_ca_key_on_server;

/* crl.c: the CAs of clients, and revocation */
rule_test rule_client_ca_missing, rule_client_ca_wide, rule_crl_missing, rule_crl_expired,
    rule_crl_expiring, rule_crl_issuer_mismatch, rule_crl_with_cert;

/* sql.c: connections that the server makes, passwords that it keeps */
rule_test rule_upstream_sslmode_weak, rule_role_secret_weak;

/* hba.c: who gets in by which line */
rule_test rule_hba_plaintext, rule_hba_replication_plaintext, rule_hba_wide_open, rule_hba_trust,
    rule_hba_password_plaintext, rule_hba_md5, rule_hba_ident, rule_hba_host_by_dns;
/* hba_lines.c: lines that are not what they look like */
rule_test rule_hba_shadowed, rule_hba_weaker_first, rule_client_cert_never_asked, rule_hba_ipv6_open,
    rule_hba_hostssl_dead, rule_hba_syntax, rule_hba_clientcert_word, rule_hba_quoted_regex,
    rule_hba_name_case, rule_hba_samenet_wide;
/* ident.c: maps */
rule_test rule_ident_map_wide, rule_ident_map_unanchored, rule_ident_map_missing,
    rule_ident_map_unused, rule_ident_syntax;

/* seen.c: from outside; those that begin with seen_ stand beside a test of the server's own files */
rule_test rule_no_answer, rule_not_postgres, rule_version_disclosed, rule_plaintext_accepted,
          rule_replication_plaintext, rule_password_plaintext, rule_trust_auth, rule_auth_md5,
          rule_scram_plus_missing, rule_stuffing_vulnerable, rule_direct_tls_no_alpn,
          rule_negotiation_endless, rule_handshake_broken, rule_compression_or_renegotiation,
          rule_name_mismatch, rule_key_shared;
rule_test seen_legacy_version, seen_no_tls13, seen_cipher, seen_dh_weak, seen_group_weak,
          seen_no_pq_group, seen_client_ca_wide;

#endif
