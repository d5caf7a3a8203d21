/*
 * json_shape_node.h
 *	  The tree of shapes; for json_shape.c and json_shape_learn.c only.
 *
 * A node is a piece of text between values.  After it comes a value, or the
 * document ends, or the text continues in one of several ways: these are nodes
 * that differ in their first characters.  After a value the text continues in
 * the same manner.  The reader can tell by one character whether a value comes
 * or the text continues: where a value can stand, text continues only with
 * white space or with an object.
 */
#ifndef TRACKING_JSON_JSON_SHAPE_NODE_H
#define TRACKING_JSON_JSON_SHAPE_NODE_H

#include "json/json_shape.h"

/*
 * Texts are compared in pieces of this size.  After the text of a node as many
 * bytes can be read.
 */
#define JSON_SHAPE_PIECE 16

typedef struct ShapeNode
{
	const char *text;			/* not empty */
	uint32_t	len;
	uint32_t	depth;			/* number of objects open around the value */
	bool		is_value;		/* a value may come after the text */
	JsonShape  *shape;			/* of the documents that end after the text;
								 * or NULL */
	struct ShapeNode *after;	/* list of the texts that may follow the value */
	struct ShapeNode *more;		/* list of the texts that may continue this */
	struct ShapeNode *other;	/* next node in the same list */
} ShapeNode;

struct JsonShapes
{
	ShapeNode  *first;			/* list of the texts that documents begin with */
	char	   *memory;			/* these shapes' own, with this struct */
	size_t		bytes;			/* of memory */
	size_t		used;			/* of bytes */
	JsonScan	scan;			/* reads values that are not plain */

	/* see json_shape_learn.c */
	bool		full;			/* an allocation has failed */
	uint32_t	n_matched;		/* documents of known shapes since then */
	uint32_t	n_missed;		/* documents of other shapes since then */
	uint32_t	n_failed;		/* documents in a row whose shape could not be
								 * learned */
	uint32_t	pause;			/* how many further documents to learn nothing
								 * from */
	uint32_t	next_pause;		/* pause when all shapes are forgotten next */
};

#endif							/* TRACKING_JSON_JSON_SHAPE_NODE_H */
