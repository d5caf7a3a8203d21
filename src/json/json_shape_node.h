/*
 * json_shape_node.h
 *	  What shapes are made of: a matter of json_shape*.c only.
 *
 * Shapes are a tree.  A node is a piece of text; behind it stands a value, the
 * document ends, or the text goes on in one of several ways, which differ in
 * their first character.  Behind a value it is the same.  A value and the ways
 * to go on instead differ in their first character, too: the latter are white
 * space or an object.
 */
#ifndef TRACKING_JSON_JSON_SHAPE_NODE_H
#define TRACKING_JSON_JSON_SHAPE_NODE_H

#include "json/json_shape.h"

/*
 * Texts are compared in pieces of that size; as many bytes can be read behind
 * one.
 */
#define JSON_SHAPE_PIECE 16

typedef struct ShapeNode
{
	const char *text;			/* not empty */
	uint32_t	len;
	uint32_t	depth;			/* objects open around the value */
	bool		is_value;		/* there may be a value behind it */
	JsonShape  *shape;			/* the document ends; or NULL */
	struct ShapeNode *after;	/* what may follow the value: a list */
	struct ShapeNode *more;		/* how the text may go on: a list */
	struct ShapeNode *other;	/* the next of the list that this is in */
} ShapeNode;

struct JsonShapes
{
	ShapeNode  *first;			/* a list */
	char	   *memory;
	size_t		bytes;
	size_t		used;
	JsonScan	scan;			/* of a value that is not plain */

	/* see json_shape_learn.c */
	bool		full;
	uint32_t	n_matched;		/* since it is full */
	uint32_t	n_missed;
	uint32_t	n_failed;
	uint32_t	pause;			/* documents that nothing is learned from */
	uint32_t	next_pause;
};

#endif							/* TRACKING_JSON_JSON_SHAPE_NODE_H */
