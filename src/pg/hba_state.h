/*
 * hba_state.h - what is inside of struct hba; for the files of hba alone.
 */
#ifndef PS_HBA_STATE_H
#define PS_HBA_STATE_H

#include "pg/hba_tree.h"

struct hba_new_option {
    const char *name, *value;
};

struct hba_edit {               /* everything that was asked for one rule */
    size_t file, begin;         /* which rule: its place */
    const struct hba_rule *rule;
    bool new_type;
    enum hba_type type;
    const char *method;         /* NULL: as it is, with its options */
    struct hba_new_option *options;
    size_t options_len, options_cap;
    const char **above;         /* lines put above the rule */
    size_t above_len, above_cap;
};

struct hba {
    struct tree *tree;          /* its arena has all texts of rules and edits */
    bool meant;                 /* the tree is another's, faults of options do not count */
    size_t *files;              /* of the tree: those with lines; hba_files() counts these */
    size_t files_len, files_cap;
    struct hba_rule *rules;
    size_t rules_len, rules_cap;
    struct hba_edit *edits;     /* in the order of (file, begin) */
    size_t edits_len, edits_cap;
};

void hba_edits_free(struct hba *hba);
const struct buf *hba_bytes(const struct hba *hba, size_t file);    /* as they were read */

#endif
