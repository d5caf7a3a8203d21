/*
 * store_stage.c
 *	  The files of one load in S3.
 *
 * Rows are dealt to several files at the same time, so that the number of
 * files is a multiple of what the cluster reads in parallel.  When the files
 * are large enough, another set of as many begins.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "row/compressor.h"
#include "service/s3.h"
#include "store/store_session.h"
#include "store/store_stage.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"

/*
 * Staged objects that remain do no harm, so removing them must not take long.
 */
#define REMOVE_RETRIES 1
#define REMOVE_TIMEOUT_MS 10000

typedef struct StageFile
{
	char	   *key;
	S3Upload   *upload;			/* NULL: closed, or not begun */
	Compressor *compressor;
	int64		bytes;			/* written to S3 */
} StageFile;

struct StoreStage
{
	MemoryContext cxt;			/* of the stage; outlives local transactions */
	NameData	server_name;
	S3Client   *s3;
	S3Client   *remover;		/* the same, with fewer retries and a shorter
								 * timeout */
	char	   *bucket;
	char	   *folder;			/* prefix of all keys, ends with a slash */
	CompressorKind compression;
	bool		keep;
	int			n_open;			/* files of a set */
	StageFile  *open;
	int			turn;			/* the file that takes the next row */
	int64		file_bytes;		/* after which another set begins */
	List	   *closed;			/* StageFile * */
	List	   *keys;			/* of all objects that may exist: char * */
	int64		files;
	int64		bytes;
};

/* ----------------------------------------------------------------
 * The end
 * ---------------------------------------------------------------- */

/* Remove all objects; returns how many may still exist. */
static int
remove_objects(StoreStage *stage)
{
	for (int i = 0; i < stage->n_open; i++)
	{
		S3Upload   *upload = stage->open[i].upload;

		stage->open[i].upload = NULL;
		if (upload != NULL)
			s3_upload_abort(upload);
	}
	return list_length(s3_delete_objects(stage->remover, stage->keys));
}

/*
 * Remove all objects that can be removed, without throwing.  An error would
 * end the holding off of interrupts, which is the caller's.
 */
static void
try_remove_objects(StoreStage *stage)
{
	MemoryContext old = MemoryContextSwitchTo(stage->cxt);
	uint32		held = InterruptHoldoffCount;
	volatile int left = list_length(stage->keys);

	PG_TRY();
	{
		left = remove_objects(stage);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(stage->cxt);
		FlushErrorState();
		InterruptHoldoffCount = held;
	}
	PG_END_TRY();
	if (left > 0)
		ereport(LOG,
				(errmsg("could not remove %d of %d staged objects of store \"%s\"",
						left, list_length(stage->keys),
						NameStr(stage->server_name)),
				 errdetail("They are in s3://%s/%s.", stage->bucket,
						   stage->folder)));
	MemoryContextSwitchTo(old);
}

/*
 * Callback: the remote transaction has ended.  It must not throw, as the local
 * one may be amid its commit or abort.
 */
static void
stage_ends(void *arg, StoreOutcome outcome)
{
	StoreStage *stage = arg;

	HOLD_INTERRUPTS();
	if (outcome == STORE_OUTCOME_UNKNOWN)
		ereport(LOG,
				(errmsg("staged objects of store \"%s\" are kept, as nobody knows whether they were loaded",
						NameStr(stage->server_name)),
				 errdetail("They are in s3://%s/%s.", stage->bucket,
						   stage->folder)));
	else if (!stage->keep)
		try_remove_objects(stage);
	MemoryContextDelete(stage->cxt);
	RESUME_INTERRUPTS();
}

/* ----------------------------------------------------------------
 * Writing
 * ---------------------------------------------------------------- */

static void
check_server(const StoreServer *server)
{
	const char *missing = server->staging == NULL ? "staging" :
		!OidIsValid(server->aws_server) ? "aws_server" : NULL;

	if (missing != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
				 errmsg("store \"%s\" cannot be loaded by copy_s3: it has no option \"%s\"",
						server->name, missing),
				 errhint("ALTER SERVER %s OPTIONS (ADD staging 's3://bucket/prefix', ADD aws_server '...'), where aws_server is a server of tracking_fdw with a user mapping that may write there; or use load_method 'insert'.",
						 quote_identifier(server->name))));
}

/* Name a folder that no other load has. */
static char *
new_folder(const char *prefix)
{
	uint8		random[8];
	char		hex[2 * sizeof(random) + 1];
	char		when[32];
	pg_time_t	now = (pg_time_t) time(NULL);

	if (!pg_strong_random(random, sizeof(random)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate a random name")));
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(hex + 2 * i, 3, "%02x", random[i]);
	pg_strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", pg_gmtime(&now));
	return psprintf("%sload-%s-%s/", prefix, when, hex);
}

StoreStage *
store_stage_open(const StoreServer *server)
{
	MemoryContext cxt;
	MemoryContext old;
	StoreStage *stage;
	S3Location	location;
	AwsConfig	hasty = server->aws;

	check_server(server);
	cxt = AllocSetContextCreate(CurrentMemoryContext, "tracking_fdw stage",
								ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(cxt);
	stage = palloc0(sizeof(StoreStage));
	stage->cxt = cxt;
	namestrcpy(&stage->server_name, server->name);
	s3_parse_url(server->staging, &location);
	stage->bucket = location.bucket;
	stage->folder = new_folder(location.prefix);
	stage->s3 = s3_client_open(cxt, &server->aws, location.bucket);
	hasty.max_retries = Min(hasty.max_retries, REMOVE_RETRIES);
	hasty.request_timeout_ms = Min(hasty.request_timeout_ms,
								   REMOVE_TIMEOUT_MS);
	stage->remover = s3_client_open(cxt, &hasty, location.bucket);
	stage->compression = server->compression;
	stage->keep = server->keep_staged;
	stage->n_open = server->stage_files;
	stage->file_bytes = server->stage_file_bytes;
	stage->open = palloc0(stage->n_open * sizeof(StageFile));
	MemoryContextSwitchTo(old);

	/* from now on the stage ends with the remote transaction */
	MemoryContextSetParent(cxt, TopMemoryContext);
	store_session_at_end(server, stage_ends, stage);
	return stage;
}

/* Write compressed bytes of a file. */
static void
write_out(void *arg, const char *data, size_t bytes)
{
	StageFile  *file = arg;

	s3_upload_write(file->upload, data, bytes);
	file->bytes += bytes;
}

static void
open_file(StoreStage *stage, StageFile *file)
{
	MemoryContext old = MemoryContextSwitchTo(stage->cxt);

	file->key = psprintf("%spart-%05d.json.%s", stage->folder,
						 (int) stage->files,
						 compressor_extensions[stage->compression]);
	stage->keys = lappend(stage->keys, file->key);
	stage->files++;
	file->compressor = compressor_open(stage->cxt, stage->compression);
	file->upload = s3_upload_open(stage->s3, file->key,
								  "application/octet-stream");
	MemoryContextSwitchTo(old);
}

static void
close_file(StoreStage *stage, StageFile *file)
{
	MemoryContext old;
	StageFile  *closed;

	compressor_close(file->compressor, write_out, file);
	s3_upload_finish(file->upload);
	stage->bytes += file->bytes;
	old = MemoryContextSwitchTo(stage->cxt);
	closed = palloc(sizeof(StageFile));
	*closed = *file;
	stage->closed = lappend(stage->closed, closed);
	MemoryContextSwitchTo(old);
	memset(file, 0, sizeof(StageFile));
}

static void
close_set(StoreStage *stage)
{
	for (int i = 0; i < stage->n_open; i++)
	{
		if (stage->open[i].upload != NULL)
			close_file(stage, &stage->open[i]);
	}
	stage->turn = 0;
}

void
store_stage_row(StoreStage *stage, const char *row, size_t bytes)
{
	StageFile  *file;

	if (stage->turn == 0 && stage->open[0].bytes >= stage->file_bytes)
		close_set(stage);
	file = &stage->open[stage->turn];
	stage->turn = (stage->turn + 1) % stage->n_open;
	if (file->upload == NULL)
		open_file(stage, file);
	compressor_write(file->compressor, row, bytes, write_out, file);
}

const char *
store_stage_finish(StoreStage *stage)
{
	MemoryContext old = MemoryContextSwitchTo(stage->cxt);
	char	   *key = psprintf("%smanifest", stage->folder);
	StringInfoData manifest;
	ListCell   *cell;

	close_set(stage);
	initStringInfo(&manifest);
	appendStringInfoString(&manifest, "{\"entries\":[");
	foreach(cell, stage->closed)
	{
		const StageFile *file = lfirst(cell);

		appendStringInfo(&manifest, "%s{\"url\":",
						 foreach_current_index(cell) > 0 ? "," : "");
		escape_json(&manifest, s3_url(stage->bucket, file->key));
		appendStringInfo(&manifest,
						 ",\"mandatory\":true,\"meta\":{\"content_length\":" INT64_FORMAT "}}",
						 file->bytes);
	}
	appendStringInfoString(&manifest, "]}");
	stage->keys = lappend(stage->keys, key);
	s3_put_object(stage->s3, key, "application/json", manifest.data,
				  manifest.len);
	MemoryContextSwitchTo(old);
	return s3_url(stage->bucket, key);
}

int64
store_stage_files(const StoreStage *stage)
{
	return stage->files;
}

int64
store_stage_bytes(const StoreStage *stage)
{
	return stage->bytes;
}
