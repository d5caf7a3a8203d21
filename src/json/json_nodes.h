/*
 * json_nodes.h
 *	  A JSON document as a list of nodes: a matter of the row room only.
 *
 * Nodes stand in the order of the document, each container before what it
 * holds.  The first is an array that is not there, which holds the document.
 */
#ifndef TRACKING_JSON_JSON_NODES_H
#define TRACKING_JSON_JSON_NODES_H

#include "postgres.h"

#include "json/json_scan.h"
#include "lib/stringinfo.h"

typedef struct JsonNode
{
	const char *start;			/* of strings, keys and numbers */
	uint32		len;			/* of containers: nodes right below it, both
								 * keys and values */
	uint32		end;			/* of containers: the node behind all in it */
	JsonToken	type;			/* keys are JSON_TOKEN_STRING, containers
								 * their _START */
} JsonNode;

typedef struct JsonNodes
{
	JsonNode   *node;
	uint32		n;

	/* private */
	uint32		max;
	uint32		open;			/* the container being read; its end is the
								 * one around it */
	const char *text;
	size_t		bytes;
	StringInfoData unescaped;	/* strings that had escapes, each where it
								 * stands in the text */
} JsonNodes;

/* In the current context. */
extern void json_nodes_init(JsonNodes *nodes);

/*
 * Read a document, which JsonScan must have accepted: of its syntax nothing is
 * checked again.  Strings are without escapes; false if one cannot be text.
 * The nodes live as long as the text, and until the next call.
 */
extern bool json_nodes_read(JsonNodes *nodes, const char *text, size_t len);

/* The next node of the same container. */
static inline const JsonNode *
json_nodes_next(const JsonNodes *nodes, const JsonNode *node)
{
	if (node->type == JSON_TOKEN_OBJECT_START ||
		node->type == JSON_TOKEN_ARRAY_START)
		return &nodes->node[node->end];
	return node + 1;
}

#endif							/* TRACKING_JSON_JSON_NODES_H */
