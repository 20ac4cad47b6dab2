/*
 * hba_match.h - the parts of hba_rule_matches(), for those that ask why; for the files of hba alone.
 */
#ifndef PS_HBA_MATCH_H
#define PS_HBA_MATCH_H

#include "pg/hba.h"

/* The bare word, not in quotes. */
bool hba_token_is(const struct hba_token *token, const char *keyword);
bool hba_type_takes(enum hba_type type, const struct hba_question *question);
enum hba_match hba_addr_matches(const struct hba_addr *addr, const struct sockaddr_storage *client);
enum hba_match hba_database_matches(const struct hba_rule *rule,
                                    const struct hba_question *question);
/* Words in quotes or capitals that were meant as keywords are host names that no client has. */
bool hba_addr_is_nobody(const struct hba_addr *addr);

#endif
