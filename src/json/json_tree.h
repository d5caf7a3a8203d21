/*
 * json_tree.h
 *	  Small JSON documents, such as a service's answers, as a tree.
 *
 * Only json_tree.c uses jansson.  It must never include a header with
 * PostgreSQL's fmgr prototypes, and never call jansson's json_object(): the
 * server exports a function of that name, which would be called instead.  The
 * records of a stream are not read here, but by json_scan.h.
 *
 * Every getter treats a member that is null as absent.
 */
#ifndef TRACKING_JSON_JSON_TREE_H
#define TRACKING_JSON_JSON_TREE_H

#include "postgres.h"

typedef struct JsonDoc JsonDoc;

/*
 * Parse text (len bytes, UTF-8).  The tree lives as long as cxt.  Returns NULL
 * if text is not one JSON value, and sets *error (unless error is NULL) to the
 * reason, allocated in cxt.
 */
extern const JsonDoc *jsondoc_parse(MemoryContext cxt, const char *text,
									size_t len, char **error);

/* A member of an object; NULL if absent, null, or doc is no object or NULL. */
extern const JsonDoc *jsondoc_get(const JsonDoc *doc, const char *key);

/* The number of elements of an array; 0 for anything else. */
extern int	jsondoc_length(const JsonDoc *doc);

/* An element of an array, 0-based; NULL if there is none. */
extern const JsonDoc *jsondoc_at(const JsonDoc *doc, int index);

/* A member that is a string; NULL if it is none.  Lives with the tree. */
extern const char *jsondoc_string(const JsonDoc *doc, const char *key);

/* The text of a value that is a string; NULL if it is none. */
extern const char *jsondoc_text(const JsonDoc *doc);

/* Is the member true? */
extern bool jsondoc_is_true(const JsonDoc *doc, const char *key);

/* A member that is a number, as an integer; missing if it is none. */
extern int64 jsondoc_int64(const JsonDoc *doc, const char *key, int64 missing);

/* A member that is a number; missing if it is none. */
extern double jsondoc_double(const JsonDoc *doc, const char *key,
							 double missing);

#endif							/* TRACKING_JSON_JSON_TREE_H */
