/*
 * row_json.h
 *	  Find the values of columns in a JSON document: a matter of the row room.
 */
#ifndef TRACKING_ROW_ROW_JSON_H
#define TRACKING_ROW_ROW_JSON_H

#include "postgres.h"

#include "json/json_shape.h"
#include "row/row.h"

typedef struct RowJson RowJson;

/*
 * In the current context.  With takes_members a document must be an object,
 * whatever fields there are; as it must be where one of them takes a member.
 */
extern RowJson *row_json_open(int max_fields, bool takes_members);

/* One more field: it takes the member name, exactly or else ignoring case. */
extern void row_json_add_name(RowJson *json, const char *name);

/* One more field: it takes what stands at this path, exactly. */
extern void row_json_add_path(RowJson *json, const RowPathStep *path,
							  int n_path);

typedef enum RowJsonResult
{
	ROW_JSON_FOUND,
	ROW_JSON_END,
	ROW_JSON_EMPTY,				/* of the record there is nothing; *error says
								 * so */
	ROW_JSON_BAD				/* *error says why */
} RowJsonResult;

/* Begin a record, which has any number of documents. */
extern void row_json_begin(RowJson *json, const char *text, size_t len);

/*
 * Read the next document; of an array on the top level each element is one.
 * All of it is checked, and values[n] becomes the slice that the n-th field
 * takes, in the order in which they were added, of type JSON_TOKEN_NULL if
 * there is none.
 */
extern RowJsonResult row_json_next(RowJson *json, JsonSlice *values,
								   RowError *error);

/*
 * Where a record is read on, to come back to; as long as its text is there.
 */
typedef struct RowJsonPlace
{
	JsonScan	scan;
	int			n_documents;	/* read so far */
	bool		begun;
	bool		in_array;		/* of documents */
} RowJsonPlace;

extern void row_json_tell(const RowJson *json, RowJsonPlace *place);
extern void row_json_seek(RowJson *json, const RowJsonPlace *place);

/*
 * The document that was read last, if it has a shape; else NULL.  Good until
 * the next one is read.
 */
extern const JsonShaped *row_json_shaped(const RowJson *json);

/* Why a scan has failed, as the reason for refusing a record. */
extern void row_json_error(const JsonScan *scan, RowError *error);

#endif							/* TRACKING_ROW_ROW_JSON_H */
