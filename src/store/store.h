/*
 * store.h
 *	  A store, which is another database that takes rows, as config/ describes
 *	  it.
 */
#ifndef TRACKING_STORE_STORE_H
#define TRACKING_STORE_STORE_H

#include "postgres.h"

#include "aws/aws_call.h"
#include "row/compressor.h"

typedef struct StoreDialect StoreDialect;	/* in dialect.h */
typedef struct StoreConnection StoreConnection; /* in store_connection.c */

typedef enum StoreLoadMethod
{
	STORE_LOAD_DEFAULT,			/* the default of the dialect */
	STORE_LOAD_COPY_S3,
	STORE_LOAD_COPY_STDIN,
	STORE_LOAD_INSERT
} StoreLoadMethod;

/* Values of option load_method, by StoreLoadMethod; in store_writer.c */
extern const char *const store_load_method_names[];

/* A foreign server with a role's user mapping. */
typedef struct StoreServer
{
	Oid			serverid;
	Oid			mapping;		/* OID in pg_user_mapping, by which
								 * connections are kept */
	const char *name;
	const char **keywords;		/* names of libpq's parameters, ended by NULL */
	const char **values;
	int			connect_timeout_ms;
	bool		password_required;	/* the remote must ask for a password */
	const StoreDialect *dialect;	/* NULL: the remote is asked */
	StoreLoadMethod load_method;

	/* for copy_s3 */
	const char *staging;		/* s3://bucket/prefix, or NULL */
	const char *iam_role;		/* or NULL: the cluster's default */
	Oid			aws_server;		/* InvalidOid: the store names none, or
								 * config_store_staging() was not called */
	AwsConfig	aws;			/* of aws_server */
	CompressorKind compression;
	int			stage_files;	/* files that are written side by side */
	int64		stage_file_bytes;	/* compressed size of files from which on
									 * others are begun */
	bool		keep_staged;	/* do not remove staged files */
} StoreServer;

/* A foreign table: where its rows are in the store. */
typedef struct StoreTable
{
	Oid			serverid;
	const char *schema;
	const char *name;
	const char **columns;		/* by attribute of the foreign table; NULL if
								 * it is dropped */
	StoreLoadMethod load_method;	/* the table's own, else DEFAULT */
} StoreTable;

#endif							/* TRACKING_STORE_STORE_H */
