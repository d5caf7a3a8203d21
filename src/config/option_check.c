/*
 * option_check.c
 *	  The validators of both foreign data wrappers.
 *
 * What one option may hold stands in the tables; here is what several of them
 * mean together.
 */
#include "postgres.h"

#include "access/reloptions.h"
#include "base/compat.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_user_mapping.h"
#include "config/option.h"
#include "config/option_def.h"
#include "fmgr.h"

PG_FUNCTION_INFO_V1(tracking_fdw_validator);
PG_FUNCTION_INFO_V1(tracking_redshift_validator);

static void
check_exclusive(List *options, const char *one, const char *other,
				const char *hint)
{
	if (option_get(options, one) != NULL && option_get(options, other) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("options \"%s\" and \"%s\" exclude each other", one,
						other),
				 errhint("%s", hint)));
}

/* Which types an option is for, the validator is not told: row_open.c looks. */
static void
check_column(List *options)
{
	static const char hint[] = "\"epoch\" is for times, \"base64\" for bytea, in a payload of JSON.";

	check_exclusive(options, "path", "metadata",
					"\"path\" takes the column from the payload, \"metadata\" from the record around it.");
	check_exclusive(options, "epoch", "metadata", hint);
	check_exclusive(options, "base64", "metadata", hint);
	check_exclusive(options, "epoch", "base64", hint);
}

static void
check_stream(List *options, Oid catalog)
{
	if (catalog == ForeignServerRelationId &&
		option_get(options, "region") == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
				 errmsg("a server needs the option \"region\""),
				 errhint("For example: OPTIONS (region 'us-east-1').")));
	if (catalog == ForeignTableRelationId &&
		option_get(options, "stream") == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
				 errmsg("a foreign table needs the option \"stream\""),
				 errhint("For example: OPTIONS (stream 'events').")));
	if (catalog == UserMappingRelationId && options != NIL &&
		(option_get(options, "access_key_id") == NULL ||
		 option_get(options, "secret_access_key") == NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
				 errmsg("a user mapping needs both \"access_key_id\" and \"secret_access_key\"")));
	if (catalog == AttributeRelationId)
		check_column(options);
}

static void
check_store(List *options, Oid catalog)
{
	if (catalog == ForeignServerRelationId &&
		(option_get(options, "dbname") == NULL ||
		 (option_get(options, "host") == NULL &&
		  option_get(options, "hostaddr") == NULL)))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
				 errmsg("a server needs the options \"host\" and \"dbname\""),
				 errhint("For example: OPTIONS (host 'example.eu-west-1.redshift.amazonaws.com', dbname 'prod').")));
	if (catalog == UserMappingRelationId && options != NIL &&
		option_get(options, "user") == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
				 errmsg("a user mapping needs the option \"user\""),
				 errhint("For example: OPTIONS (user 'loader', password '...').")));
}

Datum
tracking_fdw_validator(PG_FUNCTION_ARGS)
{
	List	   *options = untransformRelOptions(PG_GETARG_DATUM(0));

	option_validate(&option_stream, options, PG_GETARG_OID(1));
	check_stream(options, PG_GETARG_OID(1));
	PG_RETURN_VOID();
}

Datum
tracking_redshift_validator(PG_FUNCTION_ARGS)
{
	List	   *options = untransformRelOptions(PG_GETARG_DATUM(0));

	option_validate(&option_store, options, PG_GETARG_OID(1));
	check_store(options, PG_GETARG_OID(1));
	PG_RETURN_VOID();
}
