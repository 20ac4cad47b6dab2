/*
 * name.h - what may stand in a kit's strings.
 */
#ifndef PS_KIT_NAME_H
#define PS_KIT_NAME_H

#include "kit/kit.h"

/* Valid UTF-8 (RFC 3629: no surrogates, no overlong forms), no control characters (C0, DEL, C1). */
bool kit_text_ok(const char *text);

/* PS_E_VALUE for what no kit can be made for; see struct kit_spec. */
PS_MUST bool kit_spec_check(const struct kit_spec *spec, struct ps_err *err);

#endif
