/*
 * dialect.h
 *	  The interface of dialects: what stores differ in.
 *
 * A dialect is an object: a file dialect_NAME.c and a line of dialect_list.h.
 * Code that talks to a store asks its dialect what the store has or lacks,
 * never which dialect it is.
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

	/*
	 * Does the remote of a new connection speak this dialect?  NULL in the
	 * last one.
	 */
	bool		(*recognizes) (const StoreConnection *connection);

	/* transactions */
	bool		has_savepoints;
	bool		has_isolation_levels;	/* else one level, with one snapshot */
	bool		has_many_cursors;	/* at the same time; else one */
	bool		has_row_locks;	/* else only tables can be locked */

	/*
	 * Statements at the beginning of a transaction, with "; " between them.
	 * With their settings, texts of values mean the same on both sides.
	 */
	const char *settings;

	/*
	 * Literals.  json_before and json_after enclose the literal of a
	 * document, to make it a value of the type for JSON; bytes_before and
	 * bytes_after enclose the hexadecimal digits of a value of bytes.
	 */
	bool		has_escapes;	/* a backslash in a literal begins one */
	const char *json_before;
	const char *json_after;
	const char *bytes_before;
	const char *bytes_after;

	/* loads */
	StoreLoadMethod load_method;	/* by default */
	int			max_s3_row_bytes;	/* of a row as JSON, for a COPY from S3;
									 * 0: there is no such COPY */

	/*
	 * Types and limits.  Both may be NULL, if the store has PostgreSQL's
	 * types and rejects by itself what it does not take.  open_column() sets
	 * the limits of a column; it raises an error if the store has no type for
	 * it. typmod is that of column->type.  check_row() raises an error if the
	 * store does not take the row in the encoder: one of class 22, as the
	 * record is to blame.
	 */
	void		(*open_column) (const StoreEncoder *encoder,
								StoreColumn *column, int32 typmod);
	void		(*check_row) (const StoreEncoder *encoder);
};

#define STORE_DIALECT(dialect, name) extern const StoreDialect dialect;
#include "store/dialect_list.h"
#undef STORE_DIALECT

/*
 * All dialects; and, by the same index, the values of option dialect, ended by
 * NULL.
 */
extern const StoreDialect *const dialects[];
extern const char *const dialect_names[];

/* The dialect of a connection; in store_connection.c */
extern const StoreDialect *store_dialect(const StoreConnection *connection);

/*
 * The dialect of the remote of a new connection, which the dialects recognize.
 */
extern const StoreDialect *dialect_detect(const StoreConnection *connection);

/* A text as a literal of a dialect; palloc'd. */
extern char *dialect_quote_literal(const StoreDialect *dialect,
								   const char *text);

/* A name as an identifier, which is the same in all dialects; palloc'd. */
extern char *dialect_quote_identifier(const char *name);

#endif							/* TRACKING_STORE_DIALECT_H */
