/*
 * row_places.h
 *	  The places in a JSON document that fields take: a matter of the row room
 *	  only.
 */
#ifndef TRACKING_ROW_ROW_PLACES_H
#define TRACKING_ROW_ROW_PLACES_H

#include "postgres.h"

#include "json/json_scan.h"
#include "row/row.h"

typedef struct RowPlaces RowPlaces;

/* In the current context. */
extern RowPlaces *row_places_open(int max_fields);

/* One more field: it takes the member name, exactly or else ignoring case. */
extern void row_places_add_name(RowPlaces *places, const char *name);

/* One more field: it takes what stands at this path, exactly. */
extern void row_places_add_path(RowPlaces *places, const RowPathStep *path,
								int n_path);

/* Does a field take a member of the document, or something of one? */
extern bool row_places_have_members(const RowPlaces *places);

/* Does a field take an element of an array, or something of one? */
extern bool row_places_have_elements(const RowPlaces *places);

/* All fields, as a text: other fields have another one. */
extern const char *row_places_text(const RowPlaces *places);

/*
 * Read the document that begins where scan is, and check all of it: its slice is
 * put into *document, and into values[n] that which the n-th field takes, in the
 * order in which they were added; of type JSON_TOKEN_NULL, whose start is NULL,
 * if there is none.  Returns the document's type, or JSON_TOKEN_ARRAY_END where
 * an array has no more elements, or JSON_TOKEN_ERROR.
 */
extern JsonToken row_places_walk(RowPlaces *places, JsonScan *scan,
								 JsonSlice *values, JsonSlice *document);

#endif							/* TRACKING_ROW_ROW_PLACES_H */
