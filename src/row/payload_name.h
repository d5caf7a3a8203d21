/*
 * payload_name.h
 *	  Recognizes what a payload is that is not JSON: a matter of the row room
 *	  only.
 */
#ifndef TRACKING_ROW_PAYLOAD_NAME_H
#define TRACKING_ROW_PAYLOAD_NAME_H

#include "postgres.h"

/*
 * What the first bytes of a payload look like, in words that follow "it
 * begins"; NULL if they look like nothing that is known.
 */
extern const char *payload_name(const char *data, size_t bytes);

#endif							/* TRACKING_ROW_PAYLOAD_NAME_H */
