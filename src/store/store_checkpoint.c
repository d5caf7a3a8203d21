/*
 * store_checkpoint.c
 *	  The table of a pipeline's positions in a store.
 *
 * It takes plain SQL without any feature that Redshift lacks: no keys that are
 * enforced, no ON CONFLICT, no arrays, no parameters.  The token is stored as
 * the position of a shard with an empty name, which no shard has.  So the
 * statement that moves positions does so only if the token is there, and
 * conflicts with one that writes another token: either waits for the other.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "store/dialect.h"
#include "store/store_checkpoint.h"
#include "store/store_connection.h"

/* Shards that one statement moves; thousands would make it unwieldy. */
#define ADVANCE_SHARDS 200

static PGresult *
run(const StoreCheckpoint *checkpoint, const char *sql)
{
	return store_query(store_session_use(checkpoint->server), sql, 0, NULL);
}

void
store_checkpoint_create(const StoreCheckpoint *checkpoint)
{
	run(checkpoint,
		psprintf("CREATE TABLE IF NOT EXISTS %s ("
				 "shard_id varchar(128) NOT NULL, "
				 "position varchar(200) NOT NULL)", checkpoint->table));
	(void) store_session_commit(checkpoint->server);
}

void
store_checkpoint_lock(const StoreCheckpoint *checkpoint)
{
	run(checkpoint, psprintf("LOCK TABLE %s", checkpoint->table));
}

char *
store_checkpoint_token(const StoreCheckpoint *checkpoint)
{
	PGresult   *rows = run(checkpoint,
						   psprintf("SELECT position FROM %s WHERE shard_id = ''",
									checkpoint->table));

	if (PQntuples(rows) == 0)
		return NULL;
	return pstrdup(store_value(checkpoint->server->name, rows, 0, 0));
}

void
store_checkpoint_set_token(const StoreCheckpoint *checkpoint)
{
	const StoreDialect *dialect =
		store_dialect(store_session_use(checkpoint->server));

	run(checkpoint, psprintf("DELETE FROM %s WHERE shard_id = ''",
							 checkpoint->table));
	run(checkpoint,
		psprintf("INSERT INTO %s (shard_id, position) VALUES ('', %s)",
				 checkpoint->table,
				 dialect_quote_literal(dialect, checkpoint->token)));
}

List *
store_checkpoint_positions(const StoreCheckpoint *checkpoint)
{
	List	   *positions = NIL;
	PGresult   *rows = run(checkpoint,
						   psprintf("SELECT shard_id, position FROM %s WHERE shard_id <> ''",
									checkpoint->table));

	for (int i = 0; i < PQntuples(rows); i++)
	{
		StorePosition *position = palloc(sizeof(StorePosition));

		position->shard_id = pstrdup(store_value(checkpoint->server->name,
												 rows, i, 0));
		position->position = pstrdup(store_value(checkpoint->server->name,
												 rows, i, 1));
		positions = lappend(positions, position);
	}
	return positions;
}

/*
 * UPDATE t SET position = CASE shard_id WHEN 's1' THEN 'new' ...
 * ELSE position END
 * WHERE (shard_id = '' AND position = 'token')
 * OR (shard_id = 's1' AND position = 'old') ...
 */
static bool
move(const StoreCheckpoint *checkpoint, const BatchShard *shards, int n)
{
	const StoreDialect *dialect =
		store_dialect(store_session_use(checkpoint->server));
	StringInfoData sql;
	StringInfoData where;

	initStringInfo(&sql);
	initStringInfo(&where);
	appendStringInfo(&where, "(shard_id = '' AND position = %s)",
					 dialect_quote_literal(dialect, checkpoint->token));
	appendStringInfo(&sql, "UPDATE %s SET position = CASE shard_id",
					 checkpoint->table);
	for (int i = 0; i < n; i++)
	{
		char	   *id = dialect_quote_literal(dialect, shards[i].shard_id);

		appendStringInfo(&sql, " WHEN %s THEN %s", id,
						 dialect_quote_literal(dialect,
											   position_to_text(&shards[i].to)));
		appendStringInfo(&where, " OR (shard_id = %s AND position = %s)", id,
						 dialect_quote_literal(dialect,
											   position_to_text(&shards[i].from)));
	}
	appendStringInfo(&sql, " ELSE position END WHERE %s", where.data);
	return store_affected(run(checkpoint, sql.data)) == n + 1;
}

/*
 * Insert rows for shards that the table lacks, with the positions at which the
 * batch began.
 */
static void
add(const StoreCheckpoint *checkpoint, const Batch *batch,
	bool (*known) (const char *shard_id, void *arg), void *arg)
{
	const StoreDialect *dialect =
		store_dialect(store_session_use(checkpoint->server));

	for (int i = 0; i < batch->n_shards; i++)
	{
		const BatchShard *shard = &batch->shards[i];

		if (known(shard->shard_id, arg))
			continue;
		run(checkpoint,
			psprintf("INSERT INTO %s (shard_id, position) VALUES (%s, %s)",
					 checkpoint->table,
					 dialect_quote_literal(dialect, shard->shard_id),
					 dialect_quote_literal(dialect,
										   position_to_text(&shard->from))));
	}
}

bool
store_checkpoint_advance(const StoreCheckpoint *checkpoint,
						 const Batch *batch,
						 bool (*known) (const char *shard_id, void *arg),
						 void *arg)
{
	add(checkpoint, batch, known, arg);
	for (int i = 0; i < batch->n_shards; i += ADVANCE_SHARDS)
	{
		int			n = Min(batch->n_shards - i, ADVANCE_SHARDS);

		if (!move(checkpoint, &batch->shards[i], n))
			return false;
	}
	return true;
}

void
store_checkpoint_forget(const StoreCheckpoint *checkpoint,
						const char *shard_id)
{
	const StoreDialect *dialect =
		store_dialect(store_session_use(checkpoint->server));

	run(checkpoint,
		shard_id == NULL ? psprintf("DELETE FROM %s WHERE shard_id <> ''",
									checkpoint->table) :
		psprintf("DELETE FROM %s WHERE shard_id = %s", checkpoint->table,
				 dialect_quote_literal(dialect, shard_id)));
}
