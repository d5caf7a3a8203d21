/*
 * row_time.h
 *	  Texts that an input function takes for a time which nobody meant: a
 *	  matter of the row room only.
 */
#ifndef TRACKING_ROW_ROW_TIME_H
#define TRACKING_ROW_ROW_TIME_H

#include "postgres.h"

#include "row/row_value.h"

/* Can a text of such a type be one of a time, or hold some? */
extern bool row_time_is_in(Oid base);

/*
 * The text that is to be given to the input function of an input that has
 * times: the same, or a palloc'd one for what ISO 8601 knows and the server
 * does not.  NULL if it is refused: numbers, as nothing tells what they count,
 * and what means another time whenever it is read.
 */
extern char *row_time_text(const RowInput *input, JsonToken token, char *text,
						   RowError *error);

#endif							/* TRACKING_ROW_ROW_TIME_H */
