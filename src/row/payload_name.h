/*
 * payload_name.h
 *	  What a payload is that is not JSON: a matter of the row room only.
 */
#ifndef TRACKING_ROW_PAYLOAD_NAME_H
#define TRACKING_ROW_PAYLOAD_NAME_H

#include "postgres.h"

/*
 * How a payload begins, by its first bytes: words that go behind "it begins",
 * or NULL if it begins like nothing that is known.
 */
extern const char *payload_name(const char *data, size_t bytes);

#endif							/* TRACKING_ROW_PAYLOAD_NAME_H */
