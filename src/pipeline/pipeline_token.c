/*
 * pipeline_token.c
 *	  Whether a pipeline may fill its table in a store.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "ledger/catalog.h"
#include "pipeline/pipeline_failure.h"
#include "pipeline/pipeline_token.h"
#include "store/store_token.h"
#include "utils/builtins.h"

static CatalogStatement load_statement = {
	"select store_token, store_token_before from tracking.pipeline"
	" where id operator(pg_catalog.=) $1",
	1, {INT4OID}, NULL
};

static CatalogStatement note_statement = {
	"update tracking.pipeline p set store_token = $2, store_token_before = $3"
	" from (select q.id from tracking.pipeline q"
	" where q.id operator(pg_catalog.=) $1 for no key update nowait) free"
	" where p.id operator(pg_catalog.=) free.id",
	3, {INT4OID, TEXTOID, TEXTOID}, NULL
};

static CatalogStatement forget_statement = {
	"update tracking.pipeline"
	" set store_token = null, store_token_before = null"
	" where id operator(pg_catalog.=) $1",
	1, {INT4OID}, NULL
};

/* The tokens that this database has written into the store; NULL: none. */
typedef struct Known
{
	char	   *last;
	char	   *before;			/* the one before the last */
} Known;

static Known
load(const Pipeline *pipeline)
{
	MemoryContext cxt = CurrentMemoryContext;
	Datum		value = Int32GetDatum(pipeline->id);
	Known		known = {0};
	CatalogAccess access;

	catalog_begin(&access);
	if (catalog_execute(&load_statement, &value, NULL) > 0)
	{
		known.last = catalog_text_or_null(cxt, 0, 1);
		known.before = catalog_text_or_null(cxt, 0, 2);
	}
	catalog_end(&access);
	return known;
}

static void
note(const Pipeline *pipeline, const char *last, const char *before)
{
	Datum		values[] = {
		Int32GetDatum(pipeline->id),
		CStringGetTextDatum(last),
		before == NULL ? (Datum) 0 : CStringGetTextDatum(before)
	};
	CatalogAccess access;

	catalog_begin(&access);
	(void) catalog_execute(&note_statement, values,
						   before == NULL ? "  n" : NULL);
	catalog_end(&access);
}

static bool
same(const char *token, const char *other)
{
	return token != NULL && other != NULL && strcmp(token, other) == 0;
}

/* Raise an error if found is a token that this database has not written. */
static void
check(const Pipeline *pipeline, const StoreCheckpoint *checkpoint,
	  const char *found, const Known *known)
{
	if (found == NULL || known->last == NULL || same(found, known->last) ||
		same(found, known->before))
		return;
	ereport_domain(ERROR, PIPELINE_FAILURE_FINAL,
				   (errcode(ERRCODE_OBJECT_IN_USE),
					errmsg("pipeline \"%s\" fills store \"%s\" from another server, too",
						   pipeline->name, checkpoint->server->name),
					errdetail("The token in table %s there is \"%s\"; the last that was written from here is \"%s\".",
							  checkpoint->table,
							  store_clean(store_session_use(checkpoint->server),
										  found), known->last),
					errhint("One of the two may be a copy that is not to run. If this one is to go on, which stops the other: SELECT tracking.start_pipeline(%s, take_over => true).",
							quote_literal_cstr(pipeline->name))));
}

char *
pipeline_token_settle(const Pipeline *pipeline,
					  const StoreCheckpoint *checkpoint, const char *found)
{
	Known		known = load(pipeline);
	char	   *token;

	if (store_token_is_ours(found))
	{
		/* the store has committed it, but the local transaction was lost */
		if (!same(found, known.last))
			note(pipeline, found, known.last);
		return pstrdup(found);
	}
	check(pipeline, checkpoint, found, &known);
	token = store_token_make();
	note(pipeline, token, found);
	return token;
}

void
pipeline_token_take_over(const Pipeline *pipeline)
{
	Datum		value = Int32GetDatum(pipeline->id);
	CatalogAccess access;

	catalog_begin(&access);
	(void) catalog_execute(&forget_statement, &value, NULL);
	catalog_end(&access);
}
