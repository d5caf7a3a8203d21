/*
 * json_shape_step.h
 *	  What shapes are made of: a matter of json_shape*.c only.
 *
 * Shapes are a tree of steps.  A step is a piece of text, followed by a value
 * or the end of the document; what may follow a value is a list of steps, none
 * of which can stand where another can, but that one may be the beginning of
 * another up to an object.
 */
#ifndef TRACKING_BASE_JSON_SHAPE_STEP_H
#define TRACKING_BASE_JSON_SHAPE_STEP_H

#include "base/json_shape.h"

/* Texts are compared in pieces of that size, and padded to it. */
#define JSON_SHAPE_PIECE 16

typedef struct Step
{
	const char *text;
	uint32_t	len;
	uint32_t	depth;			/* objects open behind it */
	JsonShape  *shape;			/* the document ends; or NULL */
	struct Step *next;			/* behind the value */
	struct Step *other;			/* instead of this one */
} Step;

struct JsonShapes
{
	Step	   *first;
	char	   *memory;
	size_t		bytes;
	size_t		used;
	bool		full;			/* no more are learned */
	bool		given_up;		/* they do not pay */

	/* since they were last forgotten */
	uint32_t	n_matched;
	uint32_t	n_failed;		/* lessons */
	uint32_t	n_missed;		/* while no more were learned */

	JsonScan	scan;			/* of a value that is not plain */
};

#endif							/* TRACKING_BASE_JSON_SHAPE_STEP_H */
