/*
 * fdw_import.c
 *	  IMPORT FOREIGN SCHEMA: a foreign table for every stream or shard.
 *
 * Kinesis has no schemas: the remote schema's name means nothing.
 */
#include "postgres.h"

#include "config/config.h"
#include "config/option.h"
#include "fdw/fdw.h"
#include "foreign/foreign.h"
#include "utils/builtins.h"

/*
 * The columns of every imported table: the names that Redshift streaming
 * ingestion gives them, and the payload.
 */
#define IMPORTED_COLUMNS \
	" approximate_arrival_timestamp pg_catalog.timestamptz OPTIONS (metadata 'approximate_arrival_timestamp')," \
	" partition_key pg_catalog.text OPTIONS (metadata 'partition_key')," \
	" shard_id pg_catalog.text OPTIONS (metadata 'shard_id')," \
	" sequence_number pg_catalog.numeric OPTIONS (metadata 'sequence_number')," \
	" data pg_catalog.jsonb OPTIONS (path '$')"

/* The statement's option per: a table for every shard, or every stream? */
static bool
is_per_shard(List *options)
{
	const char *per;
	ListCell   *cell;

	foreach(cell, options)
	{
		const char *name = lfirst_node(DefElem, cell)->defname;

		if (strcmp(name, "per") != 0)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
					 errmsg("invalid option \"%s\"", name),
					 errhint("Valid options in this context are: per.")));
	}
	per = option_get(options, "per");
	if (per != NULL && strcmp(per, "shard") != 0 && strcmp(per, "stream") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("invalid value for option \"%s\"", "per"),
				 errhint("Use one of \"stream\", \"shard\".")));
	return per != NULL && strcmp(per, "shard") == 0;
}

static bool
is_listed(const char *name, List *tables)
{
	ListCell   *cell;

	foreach(cell, tables)
	{
		if (strcmp(lfirst_node(RangeVar, cell)->relname, name) == 0)
			return true;
	}
	return false;
}

/* Does the statement want this table? */
static bool
is_wanted(const ImportForeignSchemaStmt *stmt, const char *table)
{
	switch (stmt->list_type)
	{
		case FDW_IMPORT_SCHEMA_ALL:
			return true;
		case FDW_IMPORT_SCHEMA_LIMIT_TO:
			return is_listed(table, stmt->table_list);
		case FDW_IMPORT_SCHEMA_EXCEPT:
			return !is_listed(table, stmt->table_list);
	}
	pg_unreachable();
}

/* The command for one table, or NULL if it is not wanted. */
static char *
table_command(const ImportForeignSchemaStmt *stmt, const char *table,
			  const char *stream, const char *shard)
{
	const char *shard_option = "";

	if (!is_wanted(stmt, table))
		return NULL;
	if (shard != NULL)
		shard_option = psprintf(", shard %s", quote_literal_cstr(shard));
	return psprintf("CREATE FOREIGN TABLE %s (" IMPORTED_COLUMNS
					") SERVER %s OPTIONS (stream %s%s)",
					quote_identifier(table),
					quote_identifier(stmt->server_name),
					quote_literal_cstr(stream), shard_option);
}

static List *
append_command(List *commands, char *command)
{
	return command == NULL ? commands : lappend(commands, command);
}

List *
trackingImportForeignSchema(ImportForeignSchemaStmt *stmt, Oid serverOid)
{
	bool		per_shard = is_per_shard(stmt->options);
	AwsConfig	config = {0};
	KinesisStream stream;
	List	   *commands = NIL;
	ListCell   *cell;

	config_server(serverOid, InvalidOid, &config);
	stream.aws = aws_client_open(CurrentMemoryContext, &config, AWS_KINESIS);
	foreach(cell, kinesis_list_streams(stream.aws))
	{
		ListCell   *other;

		stream.name = lfirst(cell);
		if (!per_shard)
		{
			commands = append_command(commands,
									  table_command(stmt, stream.name,
													stream.name, NULL));
			continue;
		}
		foreach(other, kinesis_list_shards(&stream))
		{
			const char *shard = ((KinesisShard *) lfirst(other))->shard_id;

			commands = append_command(commands,
									  table_command(stmt,
													psprintf("%s_%s",
															 stream.name,
															 shard),
													stream.name, shard));
		}
	}
	return commands;
}
