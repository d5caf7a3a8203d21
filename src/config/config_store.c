/*
 * config_store.c
 *	  Stores, from the catalogs to plain structs.
 */
#include "postgres.h"

#include "config/config.h"
#include "config/config_store.h"
#include "config/option.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "store/dialect.h"
#include "utils/lsyscache.h"

#define CONNECT_TIMEOUT_MS 10000

/* Files that are staged at once, and their size, compressed */
#define STAGE_FILES 1
#define STAGE_FILE_MB 64

#define MAX_KEYWORDS 16

typedef struct Keywords
{
	const char *names[MAX_KEYWORDS];
	const char *values[MAX_KEYWORDS];
	int			count;
} Keywords;

static void
add_keyword(Keywords *keywords, const char *name, const char *value)
{
	if (value == NULL)
		return;
	/* room for the NULL behind the last */
	Assert(keywords->count < MAX_KEYWORDS - 1);
	keywords->names[keywords->count] = name;
	keywords->values[keywords->count++] = value;
}

static void
add_option(Keywords *keywords, List *options, const char *name,
		   const char *missing)
{
	const char *value = option_get(options, name);

	add_keyword(keywords, name, value != NULL ? value : missing);
}

/*
 * What libpq is to be told.  Only user, database, application_name and
 * client_encoding get to the remote: Redshift ends a connection that asks for
 * a parameter it does not know.
 */
static void
add_keywords(Keywords *keywords, const StoreServer *store, List *server,
			 List *mapping)
{
	add_option(keywords, server, "host", NULL);
	add_option(keywords, server, "hostaddr", NULL);
	add_option(keywords, server, "port",
			   (store->dialect != NULL ? store->dialect : dialects[0])->port);
	add_option(keywords, server, "dbname", NULL);
	add_option(keywords, server, "sslmode", "verify-full");
	add_option(keywords, server, "sslrootcert", NULL);
	add_option(keywords, mapping, "user", NULL);
	add_option(keywords, mapping, "password", NULL);
	add_keyword(keywords, "gssencmode", "disable");
	add_keyword(keywords, "application_name", "tracking_fdw");
	add_keyword(keywords, "client_encoding", GetDatabaseEncodingName());
	/* how long a request to cancel may wait for a host that is gone */
	add_keyword(keywords, "tcp_user_timeout",
				psprintf("%d", store->connect_timeout_ms));
}

/* A role that is no superuser must not log in as the server's account. */
static void
check_password(const StoreServer *store, List *mapping)
{
	if (store->password_required && option_get(mapping, "password") == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_S_R_E_PROHIBITED_SQL_STATEMENT_ATTEMPTED),
				 errmsg("password is required"),
				 errdetail("Only superusers may connect to store \"%s\" without a password.",
						   store->name),
				 errhint("ALTER USER MAPPING ... OPTIONS (ADD password '...');")));
}

/* The server that a store names as the one to stage files by. */
static ForeignServer *
find_aws_server(const StoreServer *store, const char *name)
{
	ForeignServer *server = GetForeignServerByName(name, true);
	ForeignDataWrapper *wrapper;

	if (server == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("server \"%s\", which store \"%s\" names as its aws_server, does not exist",
						name, store->name)));
	wrapper = GetForeignDataWrapper(server->fdwid);
	if (strcmp(wrapper->fdwname, "tracking_fdw") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("server \"%s\", which store \"%s\" names as its aws_server, is not of tracking_fdw",
						name, store->name)));
	return server;
}

void
config_store_staging(StoreServer *store, Oid userid)
{
	const char *name = option_get(GetForeignServer(store->serverid)->options,
								  "aws_server");
	ForeignServer *server;

	if (name == NULL)
		return;
	if (!OidIsValid(userid))
		userid = GetUserId();
	server = find_aws_server(store, name);
	if (!compat_may_use_server(server->serverid, userid))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FOREIGN_SERVER, name);
	store->aws_server = server->serverid;
	config_server(server->serverid, userid, &store->aws);
}

StoreServer *
config_store_server(Oid serverid, Oid userid)
{
	StoreServer *store = palloc0(sizeof(StoreServer));
	Keywords   *keywords = palloc0(sizeof(Keywords));
	ForeignServer *server = GetForeignServer(serverid);
	UserMapping *mapping = config_user_mapping(server, userid,
											   "user '...', password '...'");
	int			dialect;

	store->serverid = serverid;
	store->mapping = mapping->umid;
	store->name = server->servername;
	store->connect_timeout_ms = option_get_ms(server->options,
											  "connect_timeout",
											  CONNECT_TIMEOUT_MS);
	store->password_required = !superuser_arg(mapping->userid) &&
		option_get_enum(mapping->options, "password_required", 1) != 0;
	dialect = option_get_enum(server->options, "dialect", -1);
	store->dialect = dialect >= 0 ? dialects[dialect] : NULL;
	store->load_method = option_get_enum(server->options, "load_method",
										 STORE_LOAD_DEFAULT);
	store->staging = option_get(server->options, "staging");
	store->iam_role = option_get(server->options, "iam_role");
	store->keep_staged = option_get_enum(server->options, "keep_staged",
										 0) != 0;
	store->compression = option_get_enum(server->options,
										 "stage_compression",
										 COMPRESSOR_ZSTD);
	store->stage_files = option_get_int(server->options, "stage_files",
										STAGE_FILES);
	store->stage_file_bytes = option_get_int(server->options,
											 "stage_file_mb",
											 STAGE_FILE_MB) * INT64CONST(1048576);
	check_password(store, mapping->options);
	add_keywords(keywords, store, server->options, mapping->options);
	store->keywords = keywords->names;
	store->values = keywords->values;
	return store;
}

StoreTable *
config_store_table(Relation relation)
{
	StoreTable *store = palloc0(sizeof(StoreTable));
	Oid			relid = RelationGetRelid(relation);
	TupleDesc	tupdesc = RelationGetDescr(relation);
	ForeignTable *table = GetForeignTable(relid);

	store->serverid = table->serverid;
	store->schema = option_get(table->options, "schema_name");
	if (store->schema == NULL)
		store->schema = get_namespace_name(RelationGetNamespace(relation));
	store->name = option_get(table->options, "table_name");
	if (store->name == NULL)
		store->name = pstrdup(RelationGetRelationName(relation));
	store->load_method = option_get_enum(table->options, "load_method",
										 STORE_LOAD_DEFAULT);
	store->columns = palloc0(sizeof(char *) * Max(tupdesc->natts, 1));
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, i);

		if (attribute->attisdropped)
			continue;
		store->columns[i] =
			option_get(GetForeignColumnOptions(relid, i + 1), "column_name");
		if (store->columns[i] == NULL)
			store->columns[i] = pstrdup(NameStr(attribute->attname));
	}
	return store;
}
