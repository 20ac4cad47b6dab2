/*
 * spot.h - a line of somebody's file in three parts: before the spot, the spot, behind it.
 *
 * For the renderers.  The parts are visible text (see text.h); a spot that begins or ends inside a
 * character of UTF-8 takes the whole character.
 */
#ifndef DOC_SPOT_H
#define DOC_SPOT_H

#include "doc/doc.h"

struct spot {
    char *lead, *marked, *tail;
};
void spot_free(struct spot *spot);      /* for PS_AUTO */

void spot_split(const struct doc_spot *from, struct spot *out);

/*
 * Cut what is too long for `width` columns: as much as fits of both sides of the spot stays, and of a spot that
 * is too long itself its beginning; "..." stands for what is gone.
 */
void spot_fit(struct spot *spot, int width);

/* "FILE:LINE:COLUMN", without what is not known; made visible. */
void spot_put_place(const struct doc_spot *spot, struct buf *out);

#endif
