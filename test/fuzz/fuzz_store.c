/*
 * fuzz_store.c
 *	  libFuzzer target: what a store answers; see store_remote.h.
 */
#include "server.h"

/* what is static there is called here */
#include "store/store_copy_s3.c"

#include "remote.h"
#include "store/store_checkpoint.h"
#include "store_remote.h"

/* Things that are done with one store */
#define ACTIONS 8

/* ----------------------------------------------------------------
 * In place of store_stage.c
 * ---------------------------------------------------------------- */

const char *
store_stage_finish(StoreStage *stage)
{
	(void) stage;
	return "s3://bucket/it's/manifest";
}

int64
store_stage_files(const StoreStage *stage)
{
	(void) stage;
	return 1;
}

int64
store_stage_bytes(const StoreStage *stage)
{
	(void) stage;
	return 1;
}

/* ----------------------------------------------------------------
 * What is done
 * ---------------------------------------------------------------- */

static void
read_values(PGresult *result)
{
	for (int row = 0; row < PQntuples(result); row++)
		for (int column = 0; column < PQnfields(result); column++)
			require(strlen(PQgetvalue(result, row, column)) <=
					(size_t) PQgetlength(result, row, column));
}

static void
query(void *server)
{
	const char *params[] = {"1", NULL};

	(void) server;
	read_values(store_query(store_remote, "SELECT $1, $2", 2, params));
}

static void
ask(void *server)
{
	PGresult   *result = store_ask(store_remote, "SELECT");

	(void) server;
	if (result != NULL)
		read_values(result);
}

static void
load(void *server)
{
	(void) server;
	(void) store_load(store_remote, "INSERT");
}

static void
copy(void *server)
{
	(void) server;
	store_copy_begin(store_remote, "COPY", NULL, NULL);
	store_copy_data(store_remote, "1\n", 2);
	(void) store_copy_end(store_remote);
}

/* A COPY is open, and another statement wants to begin. */
static void
end_copy(void *arg)
{
	(void) arg;
	(void) store_copy_end(store_remote);
}

static void
make_way(void *server)
{
	store_copy_begin(store_remote, "COPY", end_copy, NULL);
	query(server);
}

static void
end(void *server)
{
	(void) server;
	store_disconnect(store_remote);
	require(!store_is_usable(store_remote));
}

static void
read_positions(void *server)
{
	StoreCheckpoint checkpoint = {
		.server = server,.table = "t",.token = "token"
	};
	List	   *positions;
	ListCell   *cell;
	char	   *token;

	store_checkpoint_create(&checkpoint);
	store_checkpoint_lock(&checkpoint);
	positions = store_checkpoint_positions(&checkpoint);
	foreach(cell, positions)
	{
		StorePosition *stored = lfirst(cell);
		StreamPosition position;

		require_text(stored->shard_id);
		(void) position_from_text(stored->position, &position);
	}
	token = store_checkpoint_token(&checkpoint);
	if (token != NULL)
		require_text(token);
	store_checkpoint_set_token(&checkpoint);
	store_checkpoint_forget(&checkpoint, "shard");
}

/* Is it one of those that the table has?  Every other one. */
static bool
is_known(const char *shard_id, void *arg)
{
	(void) arg;
	return shard_id[0] == 'a';
}

static void
advance(void *server)
{
	StoreCheckpoint checkpoint = {
		.server = server,.table = "t",.token = "token"
	};
	BatchShard	shards[] = {{.shard_id = "a"}, {.shard_id = "b'\\"}};
	Batch		batch = {.shards = shards,.n_shards = lengthof(shards)};

	(void) store_checkpoint_advance(&checkpoint, &batch, is_known, NULL);
}

static void
explain_copy(void *server)
{
	(void) server;
	require_text(load_error(store_remote));
}

static void
count_copy(void *server)
{
	StoreLoad	load = {.server = server};
	S3State		state = {.load = &load,.n_rows = 1};
	StoreLoadStats stats;

	check_count(&state, &stats);
}

static void
fail_copy(void *server)
{
	StoreLoad	load = {.server = server};
	S3State		state = {.load = &load};

	copy_rows(&state, "COPY");
}

/* All of a load: the COPY, and what the store says of it. */
static void
send_files(void *server)
{
	StoreTable	table = {.schema = "s",.name = "t"};
	StoreColumn columns[] = {{.name = "a"}};
	StoreEncoder encoder = {
		.dialect = &dialect_redshift,.columns = columns,.n_columns = 1
	};
	StoreLoad	load = {
		.server = server,.table = &table,.encoder = &encoder
	};
	S3State		state = {
		.load = &load,.stage = palloc(1),.n_rows = 1
	};

	s3_send(&state);
	require(load.n_stored == 1 && state.stage == NULL);
}

static void
commit(void *server)
{
	(void) server;
	(void) store_commit(store_remote);
}

static void
cancel(void *server)
{
	(void) server;
	store_remote->busy = PQsendQuery(store_remote->conn, "SELECT");
	(void) store_cancel(store_remote);
}

static void
roll_back(void *server)
{
	(void) server;
	(void) store_execute_quietly(store_remote, "ROLLBACK");
}

static const struct
{
	char		letter;
	ServerBody	body;
}			actions[] = {
	{'q', query}, {'a', ask}, {'l', load}, {'c', copy}, {'k', read_positions},
	{'v', advance}, {'e', explain_copy}, {'n', count_copy}, {'f', fail_copy},
	{'w', send_files}, {'m', commit}, {'x', cancel}, {'r', roll_back},
	{'y', make_way}, {'d', end}
};

/* ----------------------------------------------------------------
 * Inputs
 * ---------------------------------------------------------------- */

static void
act(char letter, StoreServer *server)
{
	for (size_t i = 0; i < lengthof(actions); i++)
	{
		if (actions[i].letter == letter && store_is_usable(store_remote))
			(void) store_remote_try(actions[i].body, server);
	}
}

static void
fuzz(const char *data, size_t size)
{
	StoreServer server = {
		.aws = {.region = "us-east-1"},.iam_role = "arn:it's"
	};
	Input		rest = {data, size};
	Input		letters;

	if (!store_remote_open(&server, &rest, &letters))
		return;
	letters.len = Min(letters.len, ACTIONS);
	for (size_t i = 0; i < letters.len; i++)
		act(letters.start[i], &server);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	server_input(fuzz, data, size);
	remote_end();
	return 0;
}
