/*
 * page.h - the files of a kit that are texts of ours: the page and the service entry.
 */
#ifndef PS_KIT_PAGE_H
#define PS_KIT_PAGE_H

#include "base/mem.h"
#include "doc/render.h"
#include "kit/drivers.h"
#include "kit/kit.h"

/* The strings live in the arena, or belong to spec. */
void kit_link_fill(const struct kit_spec *spec, const char *path, struct arena *arena,
                   struct kit_link *out);

/* README.txt or README.html; not_after 0: no certificate. */
void kit_page(const struct kit_spec *spec, const char *path, time_t not_after,
              enum doc_format format, struct buf *out);

#endif
