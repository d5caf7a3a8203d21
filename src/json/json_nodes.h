/*
 * json_nodes.h
 *	  A JSON document as an array of nodes; for src/row only.
 *
 * Nodes stand in the order of the document, a container before its members or
 * elements.  The first node is an array that is not in the text: its only
 * element is the document.
 */
#ifndef TRACKING_JSON_JSON_NODES_H
#define TRACKING_JSON_JSON_NODES_H

#include "postgres.h"

#include "json/json_scan.h"
#include "lib/stringinfo.h"

typedef struct JsonNode
{
	const char *start;			/* text of a string, key or number */
	uint32		len;			/* bytes of that text; of a container: number
								 * of its keys and values, without those
								 * further down */
	uint32		end;			/* of a container: index of the node after its
								 * last one */
	JsonToken	type;			/* JSON_TOKEN_STRING also for a key, _START
								 * for a container */
} JsonNode;

typedef struct JsonNodes
{
	JsonNode   *node;			/* array of n nodes */
	uint32		n;

	/* private */
	uint32		max;			/* nodes that the array has room for */
	uint32		open;			/* index of the container being read; until
								 * its end is known, its node's end is the
								 * index of the container around it */
	const char *text;			/* of the document */
	size_t		bytes;
	StringInfoData unescaped;	/* strings that had escapes, each at the same
								 * offset as in the text */
} JsonNodes;

/* Make room for the first nodes, in the current context. */
extern void json_nodes_init(JsonNodes *nodes);

/*
 * Read a document that JsonScan has accepted: its syntax is not checked again.
 * Escapes in strings are undone; returns false if a string cannot be text.
 * The nodes point into the text, and live until the next call.
 */
extern bool json_nodes_read(JsonNodes *nodes, const char *text, size_t len);

/* The next node of the same container; past its last one that is its end. */
static inline const JsonNode *
json_nodes_next(const JsonNodes *nodes, const JsonNode *node)
{
	if (node->type == JSON_TOKEN_OBJECT_START ||
		node->type == JSON_TOKEN_ARRAY_START)
		return &nodes->node[node->end];
	return node + 1;
}

#endif							/* TRACKING_JSON_JSON_NODES_H */
