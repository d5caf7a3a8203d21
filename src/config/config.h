/*
 * config.h
 *	  A foreign table and its server, user mapping and columns, as the plain
 *	  structs that the rooms below declare.
 */
#ifndef TRACKING_CONFIG_CONFIG_H
#define TRACKING_CONFIG_CONFIG_H

#include "postgres.h"

#include "aws/aws_call.h"
#include "foreign/foreign.h"
#include "row/row.h"
#include "service/kinesis.h"
#include "stream/position.h"
#include "utils/rel.h"

typedef struct StreamTable
{
	Oid			relid;
	Oid			serverid;
	AwsConfig	aws;			/* credentials: see config_open_stream() */
	const char *stream;			/* name or ARN */
	bool		unpack;			/* KPL aggregates */
	const char *shard;			/* the one shard to read, or NULL: all */
	StreamPosition start;		/* where a SELECT begins */
	RowSpec		row;
} StreamTable;

/* Read all options of a foreign table of tracking_fdw, in the current context. */
extern StreamTable *config_stream_table(Relation relation);

/*
 * The table's stream with a client of its own in cxt, for calls with the
 * credentials of the user mapping that userid (InvalidOid: the current role)
 * has for the table's server.  Raises an error if it has none.
 */
extern void config_open_stream(MemoryContext cxt, StreamTable *table,
							   Oid userid, KinesisStream *stream);

/* A client for the calls of Kinesis that are about no one stream, as above. */
extern AwsClient *config_open_kinesis(MemoryContext cxt, Oid serverid,
									  Oid userid);

/* A server's options with the credentials of userid, as above. */
extern void config_server(Oid serverid, Oid userid, AwsConfig *aws);

/*
 * The user mapping that userid (InvalidOid: the current role) has for a
 * server.  Raises an error if it has none, or one without options, with
 * options such as example in the hint.
 */
extern UserMapping *config_user_mapping(const ForeignServer *server,
										Oid userid, const char *example);

/* True if relid is a foreign table of tracking_fdw. */
extern bool config_is_stream_table(Oid relid);

/* The same of tracking_redshift. */
extern bool config_is_store_table(Oid relid);

#endif							/* TRACKING_CONFIG_CONFIG_H */
