/*
 * row_jsonb_plan.h
 *	  Writes objects of known shapes in jsonb's stored form: a matter of the
 *	  row room.
 */
#ifndef TRACKING_ROW_ROW_JSONB_PLAN_H
#define TRACKING_ROW_ROW_JSONB_PLAN_H

#include "postgres.h"

#include "json/json_shape.h"
#include "row/row_value.h"

/*
 * Append the object at text to what was written.  False if text is no object
 * of the document, or cannot be written by a plan.
 */
extern bool row_jsonb_write_shaped(RowJsonb *jsonb, const JsonShaped *shaped,
								   const char *text, size_t len);

#endif							/* TRACKING_ROW_ROW_JSONB_PLAN_H */
