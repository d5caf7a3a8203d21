/*
 * fdw_import.c
 *	  IMPORT FOREIGN SCHEMA: a foreign table for every stream or shard.
 *
 * Kinesis has no schemas: the name of the remote schema means nothing.
 */
#include "postgres.h"

#include "base/md5.h"
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

/*
 * The mark in a shortened name, and bytes of the digest that makes it unique
 */
#define DIGEST_MARK '~'
#define DIGEST_BYTES 8

/* Characters that a shortened name keeps of a shard's id, at most */
#define SHARD_SUFFIX_CHARS 31

/* A foreign table that is to be made. */
typedef struct ImportedTable
{
	const char *name;
	const char *whole;			/* the name before it was shortened; if it was
								 * not, the same pointer */
	const char *what;			/* the stream or shard, for notices */
} ImportedTable;

typedef struct Import
{
	const ImportForeignSchemaStmt *stmt;
	List	   *commands;		/* char *: for the server to run */
	List	   *shortened;		/* ImportedTable *: those with shortened
								 * names, wanted or not */
	Bitmapset  *met;			/* positions in the statement's list of names,
								 * of tables that exist */
} Import;

/*
 * Is there to be a table for every shard, or for every stream?  The
 * statement's option "per" says it.
 */
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

/*
 * Shorten a name that is too long: to its beginning and a digest of all of it.
 * No stream has the mark in its name.  Names are ASCII, see kinesis_is_name(),
 * so that they can be cut anywhere.
 */
static char *
shortened_name(const char *whole, const char *stream, const char *suffix)
{
	char		digest[2 * DIGEST_BYTES + 1];
	uint8_t		md5[MD5_BYTES];
	int			room;

	md5_digest(whole, strlen(whole), md5);
	for (int i = 0; i < DIGEST_BYTES; i++)
		snprintf(digest + 2 * i, 3, "%02x", md5[i]);
	suffix += Max((int) strlen(suffix) - SHARD_SUFFIX_CHARS, 0);
	room = NAMEDATALEN - 1 - 1 - 2 * DIGEST_BYTES - (int) strlen(suffix);
	return psprintf("%.*s%c%s%s", room, stream, DIGEST_MARK, digest, suffix);
}

/* The table of a stream, or of one shard of it. */
static ImportedTable *
imported_table(const char *stream, const char *shard)
{
	ImportedTable *table = palloc(sizeof(ImportedTable));
	const char *suffix = shard == NULL ? "" : psprintf("_%s", shard);

	table->whole = psprintf("%s%s", stream, suffix);
	table->name = strlen(table->whole) < NAMEDATALEN ? table->whole :
		shortened_name(table->whole, stream, suffix);
	table->what = shard == NULL ? psprintf("stream \"%s\"", stream) :
		psprintf("shard \"%s\" of stream \"%s\"", shard, stream);
	return table;
}

static bool
is_listed(Import *import, const char *table)
{
	bool		listed = false;
	ListCell   *cell;

	foreach(cell, import->stmt->table_list)
	{
		if (strcmp(lfirst_node(RangeVar, cell)->relname, table) != 0)
			continue;
		import->met = bms_add_member(import->met, foreach_current_index(cell));
		listed = true;
	}
	return listed;
}

/* Does the statement want this table?  The server filters by its name, too. */
static bool
is_wanted(Import *import, const char *table)
{
	switch (import->stmt->list_type)
	{
		case FDW_IMPORT_SCHEMA_ALL:
			return true;
		case FDW_IMPORT_SCHEMA_LIMIT_TO:
			return is_listed(import, table);
		case FDW_IMPORT_SCHEMA_EXCEPT:
			return !is_listed(import, table);
	}
	pg_unreachable();
}

/*
 * Add the command for the table of a stream, or of one shard of it, if it is
 * wanted.
 */
static void
add_table(Import *import, const char *stream, const char *shard)
{
	ImportedTable *table = imported_table(stream, shard);
	const char *shard_option = "";

	if (table->name != table->whole)
		import->shortened = lappend(import->shortened, table);
	if (!is_wanted(import, table->name))
		return;
	if (table->name != table->whole)
		ereport(NOTICE,
				(errmsg("%s becomes foreign table \"%s\"", table->what,
						table->name),
				 errdetail("The name of a table has up to %d bytes.",
						   NAMEDATALEN - 1)));
	if (shard != NULL)
		shard_option = psprintf(", shard %s", quote_literal_cstr(shard));
	import->commands =
		lappend(import->commands,
				psprintf("CREATE FOREIGN TABLE %s (" IMPORTED_COLUMNS
						 ") SERVER %s OPTIONS (stream %s%s)",
						 quote_identifier(table->name),
						 quote_identifier(import->stmt->server_name),
						 quote_literal_cstr(stream), shard_option));
}

/*
 * The parser cuts a name that is too long.  List the tables, in words, of all
 * streams or shards whose names begin with what it left; NULL if there are
 * none.
 */
static char *
names_of_cut(const Import *import, const char *cut)
{
	StringInfoData names;
	ListCell   *cell;

	if (strlen(cut) < NAMEDATALEN - 1)
		return NULL;
	initStringInfo(&names);
	foreach(cell, import->shortened)
	{
		const ImportedTable *table = lfirst(cell);

		if (strncmp(table->whole, cut, NAMEDATALEN - 1) == 0)
			appendStringInfo(&names, "%sthe table of %s is \"%s\"",
							 names.len > 0 ? ", " : "", table->what, table->name);
	}
	return names.len > 0 ? names.data : NULL;
}

/* Report the names in the statement that no table has, and an empty import. */
static void
tell_unmet(const Import *import)
{
	bool		limits = import->stmt->list_type == FDW_IMPORT_SCHEMA_LIMIT_TO;
	ListCell   *cell;

	foreach(cell, import->stmt->table_list)
	{
		const char *name = lfirst_node(RangeVar, cell)->relname;
		char	   *names;

		if (bms_is_member(foreach_current_index(cell), import->met))
			continue;
		names = names_of_cut(import, name);
		ereport(NOTICE,
				(errmsg(limits ? "nothing is imported as \"%s\"" :
						"nothing is left out as \"%s\"", name),
				 names == NULL ? 0 :
				 errhint("Names that are too long are shortened: %s.", names)));
	}
	if (import->commands == NIL)
		ereport(NOTICE,
				(errmsg("no foreign table is made of server \"%s\"",
						import->stmt->server_name)));
}

List *
trackingImportForeignSchema(ImportForeignSchemaStmt *stmt, Oid serverOid)
{
	bool		per_shard = is_per_shard(stmt->options);
	Import		import = {.stmt = stmt};
	KinesisStream stream = {
		.aws = config_open_kinesis(CurrentMemoryContext, serverOid, InvalidOid)
	};
	ListCell   *cell;

	foreach(cell, kinesis_list_streams(stream.aws))
	{
		ListCell   *other;

		stream.name = lfirst(cell);
		if (!per_shard)
		{
			add_table(&import, stream.name, NULL);
			continue;
		}
		foreach(other, kinesis_list_shards(&stream))
			add_table(&import, stream.name,
					  ((KinesisShard *) lfirst(other))->shard_id);
	}
	tell_unmet(&import);
	return import.commands;
}
