/*
 * source_kind_stream.c
 *	  A stream as the source of a pipeline.
 */
#include "postgres.h"

#include "config/config.h"
#include "foreign/fdwapi.h"
#include "pipeline/pipeline_source.h"
#include "pipeline/source_kind.h"
#include "pipeline/source_start.h"

static bool
stream_is_of(const Pipeline *pipeline)
{
	return pipeline->source_key == NULL;
}

static char *
stream_choose_key(Oid relation, const char *column)
{
	(void) relation;
	if (column != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("source_key is for a pipeline whose source is a table"),
				 errhint("A stream is read by shard and sequence number. Leave source_key out.")));
	return NULL;
}

static bool
stream_reads_column(const Pipeline *pipeline, const char *column)
{
	(void) pipeline;
	(void) column;
	return false;
}

/*
 * A sequence number is valid in one shard only.  LATEST is not used as a
 * position: it means another place each time, so after a failure before the
 * first record, the records that came meanwhile would be skipped.
 */
static void
stream_start(const Pipeline *pipeline, const char *start_at, bool of_shard,
			 StreamPosition *position)
{
	if (!of_shard || !position_from_text(start_at, position) ||
		position->kind == POSITION_LATEST)
		position_from_start_at(start_at, position);
	source_start_settle(pipeline, start_at, position);
}

static SPIPlanPtr
stream_prepare(const char *command)
{
	return SPI_prepare(command, 0, NULL);
}

static ParamListInfo
stream_params(const Batch *batch)
{
	(void) batch;
	return NULL;
}

static const char *
stream_condition(const Pipeline *pipeline)
{
	(void) pipeline;
	return "";
}

static const RowSpec *
stream_row_spec(Relation source)
{
	return &config_stream_table(source)->row;
}

static List *
stream_servers(const Pipeline *pipeline)
{
	return list_make1_oid(GetForeignServerIdByRelId(pipeline->source));
}

static const SourceShape stream_shape = {
	config_is_stream_table, "a foreign table of tracking_fdw"
};

const SourceKind source_kind_stream = {
	.is_of = stream_is_of,
	.shape = &stream_shape,
	.choose_key = stream_choose_key,
	.reads_column = stream_reads_column,
	.start = stream_start,
	.yields_batch = true,
	.prepare = stream_prepare,
	.params = stream_params,
	.condition = stream_condition,
	.row_spec = stream_row_spec,
	.servers = stream_servers,
	.is_read_once = true,
	.open = source_stream_open
};
