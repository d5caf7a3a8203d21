/*
 * pipeline_note.c
 *	  What the processes that run a pipeline note in its row.
 */
#include "postgres.h"

#include "base/compat.h"
#include "catalog/pg_type.h"
#include "ledger/catalog.h"
#include "ledger/pipeline_note.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static CatalogStatement claim_statement = {
	"update tracking.pipeline set assigned_generation = generation"
	" where id operator(pg_catalog.=) $1"
	" and assigned_generation operator(pg_catalog.<>) generation",
	1, {INT4OID}, NULL
};

static CatalogStatement known_statement = {
	"update tracking.pipeline set shards_known = $2"
	" where id operator(pg_catalog.=) $1"
	" and shards_known operator(pg_catalog.<>) $2",
	2, {INT4OID, INT4OID}, NULL
};

static CatalogStatement created_statement = {
	"update tracking.pipeline set stream_created = $2"
	" where id operator(pg_catalog.=) $1",
	2, {INT4OID, TIMESTAMPTZOID}, NULL
};

static CatalogStatement paused_statement = {
	"update tracking.pipeline set paused_until = $2"
	" where id operator(pg_catalog.=) $1"
	" and (paused_until operator(pg_catalog.=) $2) is not true"
	" and (paused_until is not null or $2 is not null)",
	2, {INT4OID, TIMESTAMPTZOID}, NULL
};

static CatalogStatement empty_statement = {
	"update tracking.pipeline p set watched_generation = $2,"
	" empty_columns = $3"
	" from (select q.id from tracking.pipeline q"
	" where q.id operator(pg_catalog.=) $1"
	" for no key update skip locked) free"
	" where p.id operator(pg_catalog.=) free.id",
	3, {INT4OID, INT8OID, TEXTARRAYOID}, NULL
};

#define FAILURE_UPDATE \
	"update tracking.pipeline p set" \
	" failures = p.failures operator(pg_catalog.+) 1," \
	" failing_since = coalesce(p.failing_since, pg_catalog.clock_timestamp())," \
	" enabled = p.enabled and $4 operator(pg_catalog.>=) 0," \
	" retry_at = case when $4 operator(pg_catalog.>=) 0 then" \
	" pg_catalog.clock_timestamp() operator(pg_catalog.+)" \
	" ($4::pg_catalog.float8 operator(pg_catalog.*)" \
	" '1 millisecond'::pg_catalog.interval) end," \
	" last_error = $2, last_error_sqlstate = $3," \
	" last_error_at = pg_catalog.clock_timestamp()"

static CatalogStatement failure_statement = {
	FAILURE_UPDATE " where p.id operator(pg_catalog.=) $1",
	4, {INT4OID, TEXTOID, TEXTOID, INT8OID}, NULL
};

/* Skips the row if it is locked, which it may be for any length of time. */
static CatalogStatement free_failure_statement = {
	FAILURE_UPDATE " from (select q.id from tracking.pipeline q"
	" where q.id operator(pg_catalog.=) $1"
	" for no key update skip locked) free"
	" where p.id operator(pg_catalog.=) free.id",
	4, {INT4OID, TEXTOID, TEXTOID, INT8OID}, NULL
};

#define FREE_ROW \
	" from (select q.id, q.unreachable_since, q.last_error" \
	" from tracking.pipeline q where q.id operator(pg_catalog.=) $1" \
	" for no key update skip locked) free" \
	" where p.id operator(pg_catalog.=) free.id"

static CatalogStatement unreachable_statement = {
	"update tracking.pipeline p"
	" set unreachable_since = coalesce(p.unreachable_since, $4),"
	" last_error = $2, last_error_sqlstate = $3,"
	" last_error_at = pg_catalog.clock_timestamp()"
	FREE_ROW
	" and (free.unreachable_since is null"
	" or (free.last_error operator(pg_catalog.=) $2) is not true)"
	" returning free.unreachable_since is null",
	4, {INT4OID, TEXTOID, TEXTOID, TIMESTAMPTZOID}, NULL
};

/* last_error is cleared unless it is that of a failure. */
static CatalogStatement reachable_statement = {
	"update tracking.pipeline p set unreachable_since = null,"
	" last_error = case when p.failures operator(pg_catalog.>) 0"
	" then p.last_error end,"
	" last_error_sqlstate = case when p.failures operator(pg_catalog.>) 0"
	" then p.last_error_sqlstate end,"
	" last_error_at = case when p.failures operator(pg_catalog.>) 0"
	" then p.last_error_at end"
	FREE_ROW
	" and p.unreachable_since is not null"
	" and not exists (select from tracking.checkpoint c"
	" where c.pipeline operator(pg_catalog.=) p.name"
	" and c.unreachable_since is not null)",
	1, {INT4OID}, NULL
};

static CatalogStatement is_unreachable_statement = {
	"select from tracking.pipeline where id operator(pg_catalog.=) $1"
	" and unreachable_since is not null",
	1, {INT4OID}, NULL
};

static CatalogStatement clear_statement = {
	"update tracking.pipeline set failures = 0, failing_since = null,"
	" retry_at = null where id operator(pg_catalog.=) $1",
	1, {INT4OID}, NULL
};

void
pipeline_set_shards_known(int32 id, int n)
{
	Datum		values[] = {Int32GetDatum(id), Int32GetDatum(n)};

	catalog_change(&known_statement, values, NULL);
}

bool
pipeline_claim_assignment(int32 id)
{
	Datum		values[] = {Int32GetDatum(id)};

	return catalog_change(&claim_statement, values, NULL) > 0;
}

void
pipeline_set_stream_created(int32 id, TimestampTz created)
{
	Datum		values[] = {
		Int32GetDatum(id), TimestampTzGetDatum(created)
	};

	catalog_change(&created_statement, values, NULL);
}

void
pipeline_set_paused_until(int32 id, TimestampTz until)
{
	Datum		values[] = {
		Int32GetDatum(id), TimestampTzGetDatum(until)
	};

	catalog_change(&paused_statement, values, until == 0 ? " n" : NULL);
}

/* Message, detail, hint and context, as psql would show them. */
static char *
failure_text(const ErrorData *error)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, error->message != NULL ?
						   error->message : "unknown error");
	if (error->detail != NULL)
		appendStringInfo(&text, "\nDETAIL:  %s", error->detail);
	if (error->hint != NULL)
		appendStringInfo(&text, "\nHINT:  %s", error->hint);
	if (error->context != NULL)
		appendStringInfo(&text, "\nCONTEXT:  %s", error->context);
	return text.data;
}

static bool
record_failure(CatalogStatement *statement, int32 id, const ErrorData *error,
			   int64 retry_ms)
{
	Datum		values[] = {
		Int32GetDatum(id),
		CStringGetTextDatum(failure_text(error)),
		CStringGetTextDatum(unpack_sql_state(error->sqlerrcode)),
		Int64GetDatum(retry_ms)
	};

	return catalog_change(statement, values, NULL) > 0;
}

void
pipeline_record_failure(int32 id, const ErrorData *error, int64 retry_ms)
{
	(void) record_failure(&failure_statement, id, error, retry_ms);
}

bool
pipeline_try_record_failure(int32 id, const ErrorData *error, int64 retry_ms)
{
	return record_failure(&free_failure_statement, id, error, retry_ms);
}

bool
pipeline_set_empty_columns(const Pipeline *pipeline, Datum *names, int n)
{
	Datum		values[] = {
		Int32GetDatum(pipeline->id),
		Int64GetDatum(pipeline->generation),
		n == 0 ? (Datum) 0 : catalog_array(names, NULL, n, TEXTOID)
	};

	return catalog_change(&empty_statement, values, n == 0 ? "  n" : "   ") > 0;
}

bool
pipeline_set_unreachable(int32 id, const ErrorData *error, TimestampTz since)
{
	Datum		values[] = {
		Int32GetDatum(id),
		CStringGetTextDatum(failure_text(error)),
		CStringGetTextDatum(unpack_sql_state(error->sqlerrcode)),
		TimestampTzGetDatum(since)
	};
	CatalogAccess access;
	bool		began;

	catalog_begin(&access);
	began = catalog_execute(&unreachable_statement, values, NULL) > 0 &&
		catalog_bool(0, 1);
	catalog_end(&access);
	return began;
}

bool
pipeline_set_reachable(int32 id, bool *ended)
{
	Datum		values[] = {Int32GetDatum(id)};

	*ended = catalog_change(&reachable_statement, values, NULL) > 0;
	return *ended || catalog_change(&is_unreachable_statement, values, NULL) == 0;
}

void
pipeline_clear_failures(int32 id)
{
	Datum		values[] = {Int32GetDatum(id)};

	catalog_change(&clear_statement, values, NULL);
}
