/*
 * sink_command.c
 *	  The sink of a pipeline with a command: the command writes the rows.
 */
#include "postgres.h"

#include "pipeline/pipeline_sink.h"

static bool
command_is_of(const Pipeline *pipeline)
{
	(void) pipeline;
	return true;
}

static uint64
command_write(PipelineSink *sink, Batch *batch)
{
	return pipeline_command_execute(sink->command, batch);
}

const PipelineSinkOps sink_command_ops = {
	.size = sizeof(PipelineSink),
	.is_of = command_is_of,
	.text = pipeline_command_text,
	.write = command_write
};
