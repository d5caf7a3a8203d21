/*
 * dialect.h
 *	  What stores differ in.
 *
 * A dialect is an object: a file dialect_NAME.c and a line of dialect_list.h.
 * Whoever talks to a store asks its dialect what the store has or lacks, and
 * nobody asks which dialect it is.
 */
#ifndef TRACKING_STORE_DIALECT_H
#define TRACKING_STORE_DIALECT_H

#include "postgres.h"

#include "store/store.h"
#include "store/store_type.h"

struct StoreDialect
{
	const char *title;			/* of the product, for messages */
	const char *port;			/* where it listens by default */

	/* Is the remote of this new connection one?  NULL in the last dialect. */
	bool		(*recognizes) (const StoreConnection *connection);

	/* transactions */
	bool		has_savepoints;
	bool		has_isolation_levels;	/* else one, with a snapshot */
	bool		has_many_cursors;	/* open at once; else one */
	bool		has_row_locks;		/* else those of tables only */

	/*
	 * Statements that begin a transaction, with "; " between them: with these
	 * settings texts of values mean the same on both sides.
	 */
	const char *settings;

	/*
	 * Literals.  What stands before and after the literal of a document, if
	 * that is to become a value of the type for JSON, and around the
	 * hexadecimal digits of a value of bytes.
	 */
	bool		has_escapes;	/* a backslash in a literal is one */
	const char *json_before;
	const char *json_after;
	const char *bytes_before;
	const char *bytes_after;

	/* loads */
	StoreLoadMethod load_method;	/* by default */
	int			max_s3_row_bytes;	/* of JSON that COPY reads from S3; 0:
									 * there is no such COPY */

	/*
	 * Types and limits; both may be NULL, if the store has our types and says
	 * itself what it does not take.  open_column() sets the limits of a
	 * column and raises an error if the store has no type for it, typmod
	 * being that of column->type.  check_row() raises an error of class 22,
	 * as the record is to blame, if the store does not take the row in the
	 * encoder.
	 */
	void		(*open_column) (const StoreEncoder *encoder,
								StoreColumn *column, int32 typmod);
	void		(*check_row) (const StoreEncoder *encoder);
};

#define STORE_DIALECT(dialect, name) extern const StoreDialect dialect;
#include "store/dialect_list.h"
#undef STORE_DIALECT

/* All of them; and the option's values by the same index, ended by NULL. */
extern const StoreDialect *const dialects[];
extern const char *const dialect_names[];

/* That of a connection; in store_connection.c */
extern const StoreDialect *store_dialect(const StoreConnection *connection);

/* That of whatever is at the other end of a new connection. */
extern const StoreDialect *dialect_detect(const StoreConnection *connection);

/* A text as a literal of a dialect; palloc'd. */
extern char *dialect_quote_literal(const StoreDialect *dialect,
								   const char *text);

/* A name as an identifier, which is the same in all dialects; palloc'd. */
extern char *dialect_quote_identifier(const char *name);

#endif							/* TRACKING_STORE_DIALECT_H */
