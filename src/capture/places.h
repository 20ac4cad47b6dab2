/*
 * places.h - addresses as people read them: "10.0.0.1:5432", "[2001:db8::1]:5432", "10.0.0.0/24".
 *
 * Texts of the last few hundred are kept, for a capture has few servers and networks and many connections.
 */
#ifndef CAPTURE_PLACES_H
#define CAPTURE_PLACES_H

#include "capture/conn.h"

struct places;
struct places *places_new(void);
void places_free(struct places *places);

/* Of the server; the text is there until the next call. */
const char *place_endpoint(struct places *places, const struct conn *conn);
/* Of the client: the network of 24 or 64 bits; until the next call. */
const char *place_network(struct places *places, const struct conn *conn);

#endif
