/*
 * store.h
 *	  A Redshift-compatible store: what config/ tells of one.
 */
#ifndef TRACKING_STORE_STORE_H
#define TRACKING_STORE_STORE_H

#include "postgres.h"

#include "aws/aws_call.h"
#include "row/compressor.h"

typedef enum StoreDialect
{
	STORE_DIALECT_DETECT,		/* as the remote says it is */
	STORE_DIALECT_REDSHIFT,
	STORE_DIALECT_POSTGRESQL	/* and what speaks like it: Citus, Greenplum */
} StoreDialect;

typedef enum StoreLoadMethod
{
	STORE_LOAD_DEFAULT,			/* copy_s3 for Redshift, else copy_stdin */
	STORE_LOAD_COPY_S3,
	STORE_LOAD_COPY_STDIN,
	STORE_LOAD_INSERT
} StoreLoadMethod;

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
	StoreDialect dialect;
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
