/*
 * row_places.h
 *	  The places in a JSON document from which fields take their values: a
 *	  matter of the row room only.
 */
#ifndef TRACKING_ROW_ROW_PLACES_H
#define TRACKING_ROW_ROW_PLACES_H

#include "postgres.h"

#include "json/json_scan.h"
#include "row/row.h"

typedef struct RowPlaces RowPlaces;

/* Make a set without fields, in the current context. */
extern RowPlaces *row_places_open(int max_fields);

/* Add a field, which takes the member name, exactly or else ignoring case. */
extern void row_places_add_name(RowPlaces *places, const char *name);

/* Add a field, which takes the value at this path, exactly. */
extern void row_places_add_path(RowPlaces *places, const RowPathStep *path,
								int n_path);

/* Does a field take a member of the document, or something within one? */
extern bool row_places_have_members(const RowPlaces *places);

/* Does a field take an element of an array, or something within one? */
extern bool row_places_have_elements(const RowPlaces *places);

/* A text that is the same only for the same fields in the same order. */
extern const char *row_places_text(const RowPlaces *places);

/*
 * Read the next document of scan, and check all of it.  *document becomes its
 * slice, and values[n] the slice that the n-th added field takes, of type
 * JSON_TOKEN_NULL with start NULL if there is none.  Returns the document's
 * type, or JSON_TOKEN_ARRAY_END if scan is in an array that has no more
 * elements, or JSON_TOKEN_ERROR.
 */
extern JsonToken row_places_walk(RowPlaces *places, JsonScan *scan,
								 JsonSlice *values, JsonSlice *document);

#endif							/* TRACKING_ROW_ROW_PLACES_H */
