/*
 * config.c
 *	  From the catalogs to plain structs.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "config/config.h"
#include "config/option.h"
#include "credentials/credentials_keys.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#define CONNECT_TIMEOUT_MS 5000
#define REQUEST_TIMEOUT_MS 30000
#define MAX_RETRIES 5

static void
read_server(const ForeignServer *server, AwsConfig *aws)
{
	aws->region = option_get(server->options, "region");
	aws->endpoint = option_get(server->options, "endpoint");
	for (int i = 0; i < AWS_N_SERVICES; i++)
		aws->endpoints[i] = option_get(server->options,
									   aws_services[i].endpoint_option);
	aws->ca_bundle = option_get(server->options, "ca_bundle");
	aws->connect_timeout_ms = option_get_ms(server->options,
											"connect_timeout",
											CONNECT_TIMEOUT_MS);
	aws->request_timeout_ms = option_get_ms(server->options,
											"request_timeout",
											REQUEST_TIMEOUT_MS);
	aws->max_retries = option_get_int(server->options, "max_retries",
									  MAX_RETRIES);
}

static bool
has_mapping(Oid userid, Oid serverid)
{
	return SearchSysCacheExists2(USERMAPPINGUSERSERVER,
								 ObjectIdGetDatum(userid),
								 ObjectIdGetDatum(serverid)) ||
		SearchSysCacheExists2(USERMAPPINGUSERSERVER,
							  ObjectIdGetDatum(InvalidOid),
							  ObjectIdGetDatum(serverid));
}

UserMapping *
config_user_mapping(const ForeignServer *server, Oid userid,
					const char *example)
{
	const char *role;

	if (!OidIsValid(userid))
		userid = GetUserId();
	if (has_mapping(userid, server->serverid))
	{
		UserMapping *mapping = GetUserMapping(userid, server->serverid);

		if (mapping->options != NIL)
			return mapping;
	}
	role = quote_identifier(GetUserNameFromId(userid, false));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 errmsg("role %s has no credentials for server \"%s\"",
					role, server->servername),
			 errhint("CREATE USER MAPPING FOR %s SERVER %s OPTIONS (%s);",
					 role, quote_identifier(server->servername), example)));
}

/* What provides the credentials of userid for a server, in the current context. */
static AwsCredentialProvider *
open_credentials(const ForeignServer *server, Oid userid)
{
	UserMapping *mapping =
		config_user_mapping(server, userid,
							"access_key_id '...', secret_access_key '...'");
	AwsCredentials keys = {
		.access_key_id = option_get(mapping->options, "access_key_id"),
		.secret_access_key = option_get(mapping->options, "secret_access_key"),
		.session_token = option_get(mapping->options, "session_token")
	};

	return credentials_keys_open(CurrentMemoryContext, &keys);
}

void
config_server(Oid serverid, Oid userid, AwsConfig *aws)
{
	ForeignServer *server = GetForeignServer(serverid);

	read_server(server, aws);
	aws->credentials = open_credentials(server, userid);
}

AwsClient *
config_open_kinesis(MemoryContext cxt, Oid serverid, Oid userid)
{
	AwsConfig	aws = {0};

	config_server(serverid, userid, &aws);
	return aws_client_open(cxt, &aws, AWS_KINESIS);
}

void
config_open_stream(MemoryContext cxt, StreamTable *table, Oid userid,
				   KinesisStream *stream)
{
	KinesisStream opened = {
		.name = table->stream,
		.unpack = table->unpack
	};

	table->aws.credentials =
		open_credentials(GetForeignServer(table->serverid), userid);
	opened.aws = aws_client_open(cxt, &table->aws, AWS_KINESIS);
	*stream = opened;
}

/* Does the column take a member of a JSON document, or of what is in one? */
static bool
takes_member(const RowColumn *column)
{
	return column->metadata == ROW_META_NONE &&
		(column->path == NULL ||
		 (column->n_path > 0 && column->path[0].key != NULL));
}

static RowNotation
read_notation(List *options)
{
	if (option_get_enum(options, "base64", 0) != 0)
		return ROW_BASE64;
	return option_get_enum(options, "epoch", ROW_NOTATION_PLAIN);
}

/*
 * The field that a column takes of a line, and how many a line has: as option
 * header names them, or else as columns follow one another.
 */
static void
read_position(RowSpec *row, RowColumn *column, const char *name, List *header)
{
	ListCell   *cell;

	if (header == NIL)
	{
		column->position = row->n_positions++;
		return;
	}
	row->n_positions = list_length(header);
	foreach(cell, header)
	{
		if (strcmp(lfirst(cell), name) == 0)
		{
			column->position = foreach_current_index(cell);
			return;
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND),
			 errmsg("column \"%s\" is not in option \"header\" of its table",
					name),
			 errhint("It names the fields of a line in their order, as SQL has names.")));
}

static List *
read_header(List *options, RowFormat format)
{
	const char *value = option_get(options, "header");
	List	   *names = NIL;

	if (value == NULL)
		return NIL;
	if (!row_format_is_lines(format))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("option \"header\" is for tables of format \"csv\" or \"tsv\"")));
	row_header_parse(value, &names);
	return names;
}

static void
read_columns(Relation relation, List *header, RowSpec *row)
{
	TupleDesc	tupdesc = RelationGetDescr(relation);

	row->n_columns = tupdesc->natts;
	row->columns = palloc0(sizeof(RowColumn) * Max(tupdesc->natts, 1));
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, i);
		RowColumn  *column = &row->columns[i];
		List	   *options;
		const char *path;

		column->dropped = attribute->attisdropped;
		if (column->dropped)
			continue;
		options = GetForeignColumnOptions(RelationGetRelid(relation), i + 1);
		column->metadata = option_get_enum(options, "metadata",
										   ROW_META_NONE);
		column->notation = read_notation(options);
		path = option_get(options, "path");
		if (path != NULL)
			row_path_parse(path, &column->path, &column->n_path);
		row->takes_members |= takes_member(column);
		if (column->metadata == ROW_META_NONE)
			read_position(row, column, NameStr(attribute->attname), header);
	}
}

StreamTable *
config_stream_table(Relation relation)
{
	StreamTable *config = palloc0(sizeof(StreamTable));
	ForeignTable *table = GetForeignTable(RelationGetRelid(relation));
	ForeignServer *server = GetForeignServer(table->serverid);
	const char *start = option_get(table->options, "start");

	config->relid = RelationGetRelid(relation);
	read_server(server, &config->aws);
	config->serverid = server->serverid;
	config->stream = option_get(table->options, "stream");
	config->unpack = option_get_enum(table->options, "aggregation", 0) == 0;
	config->shard = option_get(table->options, "shard");
	position_from_start_at(start == NULL ? "trim_horizon" : start,
						   &config->start);
	config->row.format = option_get_enum(table->options, "format",
										 ROW_FORMAT_JSON);
	config->row.compression = option_get_enum(table->options, "compression",
											  ROW_COMPRESSION_AUTO);
	config->row.one_document = option_get_enum(table->options, "documents",
											   0) != 0;
	config->row.empty = option_get_enum(table->options, "empty",
										row_format_empty(config->row.format));
	config->row.on_error = option_get_enum(table->options, "on_error",
										   ROW_ON_ERROR_RAISE);
	read_columns(relation, read_header(table->options, config->row.format),
				 &config->row);
	return config;
}

/* Is relid a foreign table of this wrapper? */
static bool
is_table_of(Oid relid, const char *wrapper)
{
	ForeignDataWrapper *fdw;

	if (get_rel_relkind(relid) != RELKIND_FOREIGN_TABLE)
		return false;
	fdw = GetForeignDataWrapper(GetForeignServer(GetForeignServerIdByRelId(relid))->fdwid);
	return strcmp(fdw->fdwname, wrapper) == 0;
}

bool
config_is_stream_table(Oid relid)
{
	return is_table_of(relid, "tracking_fdw");
}

bool
config_is_store_table(Oid relid)
{
	return is_table_of(relid, "tracking_redshift");
}
