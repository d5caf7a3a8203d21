/*
 * option_def.h
 *	  How the options of a foreign data wrapper are described: for the files of
 *	  this room.
 */
#ifndef TRACKING_CONFIG_OPTION_DEF_H
#define TRACKING_CONFIG_OPTION_DEF_H

#include "postgres.h"

#include "nodes/pg_list.h"

typedef enum OptionKind
{
	OPTION_TEXT,				/* min to max bytes, of the characters in
								 * values[0] if there is one */
	OPTION_INT,					/* min to max */
	OPTION_DURATION,			/* min to max, milliseconds */
	OPTION_ENUM,				/* one of values from values[min] on; the
								 * index is the member of the enum */
	OPTION_URL,
	OPTION_S3_PREFIX,			/* s3://bucket/prefix */
	OPTION_STREAM,				/* name or ARN */
	OPTION_PATH,				/* see row_path_parse() */
	OPTION_NAMES,				/* see row_header_parse() */
	OPTION_START				/* see position_from_start_at() */
} OptionKind;

typedef struct OptionDef
{
	const char *name;
	Oid			catalog;
	OptionKind	kind;
	int			min;
	int			max;
	const char *const *values;	/* NULL-terminated, or NULL */
	bool		takes_tab;		/* but no other control character, of which
								 * none is taken otherwise */
	bool		privileged;		/* lets the server process reach a host or a
								 * file of the user's choice */
	bool		superuser_only; /* lends the server's own account */
} OptionDef;

/* The options of one foreign data wrapper. */
typedef struct OptionSet
{
	const OptionDef *options;
	int			n_options;
} OptionSet;

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* members of an OptionDef, behind its name and catalog */
#define KIND(which) .kind = (which)
#define RANGE(least, most) .min = (least), .max = (most)
#define VALUES(names) .values = (names)
#define VALUES_FROM(first, names) .min = (first), .values = (names)
#define PRIVILEGED .privileged = true
#define SUPERUSER_ONLY .superuser_only = true

/* in option_store.c */
extern const OptionSet option_store;

/* in option.c */
extern const OptionSet option_stream;

/*
 * Raise an error unless each option (DefElem) is known in this catalog, may be
 * set by this role, and has a value that makes sense.
 */
extern void option_validate(const OptionSet *set, List *options, Oid catalog);

#endif							/* TRACKING_CONFIG_OPTION_DEF_H */
