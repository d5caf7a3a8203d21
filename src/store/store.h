/*
 * store.h
 *	  A store: what config/ tells of one.
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
	STORE_LOAD_DEFAULT,			/* that of the dialect */
	STORE_LOAD_COPY_S3,
	STORE_LOAD_COPY_STDIN,
	STORE_LOAD_INSERT
} StoreLoadMethod;

/* The option's values, by StoreLoadMethod; in store_writer.c */
extern const char *const store_load_method_names[];

/* A foreign server with a role's user mapping. */
typedef struct StoreServer
{
	Oid			serverid;
	Oid			mapping;		/* pg_user_mapping's; connections are kept by it */
	const char *name;
	const char **keywords;		/* of libpq, ended by NULL */
	const char **values;
	int			connect_timeout_ms;
	bool		password_required;	/* the remote must have asked for it */
	const StoreDialect *dialect;	/* NULL: as the remote says it is */
	StoreLoadMethod load_method;

	/* for copy_s3 */
	const char *staging;		/* s3://bucket/prefix, or NULL */
	const char *iam_role;		/* or NULL: the cluster's default */
	Oid			aws_server;		/* InvalidOid: none was named, or not for loads */
	AwsConfig	aws;			/* of it */
	CompressorKind compression;
	int			stage_files;	/* written at once */
	int64		stage_file_bytes;	/* of a file, compressed, at which more begin */
	bool		keep_staged;
} StoreServer;

/* A foreign table: where its rows are in the store. */
typedef struct StoreTable
{
	Oid			serverid;
	const char *schema;
	const char *name;
	const char **columns;		/* by attribute of the foreign table; NULL: dropped */
	StoreLoadMethod load_method;	/* the table's own, else DEFAULT */
} StoreTable;

#endif							/* TRACKING_STORE_STORE_H */
