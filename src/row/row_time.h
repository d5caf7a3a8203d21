/*
 * row_time.h
 *	  Refuses texts that an input function takes for a time which nobody meant:
 *	  a matter of the row room only.
 */
#ifndef TRACKING_ROW_ROW_TIME_H
#define TRACKING_ROW_ROW_TIME_H

#include "postgres.h"

#include "row/row_value.h"

/* Is the type one of times, or an array, range or multirange of them? */
extern bool row_time_is_in(Oid base);

/*
 * The text that the input function of a type of times is to be given: the same
 * one, or a palloc'd one for a form of ISO 8601 that the server does not know.
 * NULL, with *error, if the text is refused: a number, as nothing tells what
 * it counts, or one that means another time whenever it is read.
 */
extern char *row_time_text(const RowInput *input, JsonToken token, char *text,
						   RowError *error);

#endif							/* TRACKING_ROW_ROW_TIME_H */
