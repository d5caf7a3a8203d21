/*
 * pipeline_sink.c
 *	  The kinds of sinks, and what is done for all of them.
 */
#include "postgres.h"

#include "base/compat.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pipeline/pipeline_owner.h"
#include "pipeline/pipeline_sink.h"

/* A pipeline's sink is of the first of these kinds whose is_of() is true. */
static const PipelineSinkOps *const sink_kinds[] = {
	&sink_store_ops,
	&sink_table_ops,
	&sink_command_ops
};

/* A pipeline_sink_write() under way; one may run within another. */
typedef struct Writing
{
	BatchBinding binding;
	int32		pipeline;		/* its id */
	const struct Writing *outer;	/* the one that this is within, or NULL */
} Writing;

static const Writing *writing = NULL;	/* the innermost */

static const PipelineSinkOps *
kind_of(const Pipeline *pipeline)
{
	for (int i = 0; i < (int) lengthof(sink_kinds); i++)
	{
		if (sink_kinds[i]->is_of(pipeline))
			return sink_kinds[i];
	}
	pg_unreachable();
}

char *
pipeline_sink_text(const Pipeline *pipeline)
{
	return kind_of(pipeline)->text(pipeline);
}

PipelineSink *
pipeline_sink_open(MemoryContext cxt, const Pipeline *pipeline)
{
	const PipelineSinkOps *ops = kind_of(pipeline);
	PipelineSink *sink = MemoryContextAllocZero(cxt, ops->size);

	sink->ops = ops;
	sink->pipeline = pipeline;
	if (ops->open != NULL)
		ops->open(sink, cxt);
	sink->command = pipeline_command_open(cxt, pipeline, ops->text);
	return sink;
}

/* SET CONSTRAINTS ALL IMMEDIATE: deferred triggers fire now. */
static void
make_constraints_immediate(void)
{
	ConstraintsSetStmt *statement = makeNode(ConstraintsSetStmt);

	statement->constraints = NIL;	/* all */
	statement->deferred = false;
	AfterTriggerSetState(statement);
	pfree(statement);
}

void
pipeline_sink_prepare(const PipelineSink *sink)
{
	if (owner_is_restricted(sink->pipeline))
		make_constraints_immediate();
}

uint64
pipeline_sink_write(PipelineSink *sink, Batch *batch)
{
	const Pipeline *pipeline = sink->pipeline;
	Writing		this = {
		.pipeline = pipeline->id,
		.outer = writing
	};
	OwnerAccess access;
	volatile uint64 rows = 0;

	owner_begin(&access, pipeline);
	batch_bind(&this.binding, pipeline->source, batch);
	writing = &this;
	PG_TRY();
	{
		SPI_connect();
		rows = sink->ops->write(sink, batch);
		SPI_finish();
		if (!InSecurityRestrictedOperation())
			make_constraints_immediate();
	}
	PG_FINALLY();
	{
		writing = this.outer;
		batch_unbind(&this.binding);
	}
	PG_END_TRY();
	owner_end(&access);
	return rows;
}

bool
pipeline_sink_is_writing(const Pipeline *pipeline)
{
	for (const Writing *other = writing; other != NULL; other = other->outer)
	{
		if (other->pipeline == pipeline->id)
			return true;
	}
	return false;
}

List *
pipeline_sink_servers(const PipelineSink *sink)
{
	return sink->ops->servers == NULL ? NIL : sink->ops->servers(sink);
}

bool
pipeline_sink_has_savepoints(const PipelineSink *sink)
{
	return sink->ops->has_savepoints == NULL ||
		sink->ops->has_savepoints(sink);
}

void
pipeline_sink_begin(PipelineSink *sink,
					const PipelineTransactions *transactions)
{
	if (sink->ops->begin != NULL)
		sink->ops->begin(sink, transactions);
}

int64
pipeline_sink_load(PipelineSink *sink, const Batch *batch)
{
	return sink->ops->load == NULL ? 0 : sink->ops->load(sink, batch);
}

bool
pipeline_sink_advance(PipelineSink *sink, const Batch *batch, uint64 rows)
{
	return sink->ops->advance == NULL ||
		sink->ops->advance(sink, batch, rows);
}

void
pipeline_sink_claim(PipelineSink *sink)
{
	if (sink->ops->claim != NULL)
		sink->ops->claim(sink);
}

void
pipeline_sink_reset(const Pipeline *pipeline, const char *shard_id)
{
	const PipelineSinkOps *ops = kind_of(pipeline);

	if (ops->reset != NULL)
		ops->reset(pipeline, shard_id);
}

const char *
pipeline_sink_position_table(const Pipeline *pipeline)
{
	const PipelineSinkOps *ops = kind_of(pipeline);

	return ops->position_table == NULL ? NULL : ops->position_table(pipeline);
}
