/*
 * pipeline_reach.c
 *	  Reports which part of a pipeline's source cannot be read, and how far the
 *	  source is read.
 */
#include "postgres.h"

#include "base/clock.h"
#include "ledger/checkpoint_reach.h"
#include "ledger/pipeline_note.h"
#include "pipeline/pipeline_reach.h"
#include "pipeline/runner_tip.h"

/*
 * While part of the source cannot be read, this is noted again so often, as
 * the note may have failed: somebody may have had the row locked.
 */
#define AGAIN_MS 10000

/*
 * Note in the catalog what cannot be read.  Returns false if that must be done
 * again later.  *news: the trouble has just begun, or ended.
 */
static bool
note(const PipelineSource *source, const SourceReach *reach, bool *news)
{
	const Pipeline *pipeline = source->pipeline;

	if (reach->is_whole)
		checkpoint_set_all_lost(pipeline->name, source->slot, reach->since,
								reach->error.detail);
	else
		checkpoint_set_lost(pipeline->name, source->slot, reach->lost);
	if (!reach->has_trouble)
		return pipeline_set_reachable(pipeline->id, news);
	*news = pipeline_set_unreachable(pipeline->id, &reach->error,
									 reach->since);
	return false;
}

static void
log_news(const Pipeline *pipeline, const SourceReach *reach)
{
	if (reach->has_trouble)
		ereport(LOG,
				(errcode(reach->error.sqlerrcode),
				 errmsg("pipeline \"%s\": %s", pipeline->name,
						reach->error.message),
				 errdetail_internal("%s", reach->error.detail),
				 reach->error.hint == NULL ? 0 :
				 errhint("%s", reach->error.hint)));
	else
		ereport(LOG,
				(errmsg("pipeline \"%s\" can read all of its source again",
						pipeline->name)));
}

void
pipeline_reach_tell(PipelineSource *source)
{
	static bool begun = false;
	static bool pending = false;
	static int64 again_ms = 0;
	SourceReach reach = {0};
	bool		news = false;
	bool		changed;

	if (source->ops->reach == NULL)
		return;
	if (!begun)
		pending = source->pipeline->is_unreachable;
	begun = true;
	changed = source->ops->reach_changed(source);
	if (!changed && (!pending || clock_now_ms() < again_ms))
		return;
	source->ops->reach(source, &reach);
	source->transactions->begin();
	pending = !note(source, &reach, &news);
	source->transactions->commit();
	again_ms = clock_now_ms() + AGAIN_MS;
	if (news)
		log_news(source->pipeline, &reach);
}

void
pipeline_reach_report(const PipelineSource *source)
{
	runner_tip_report(source->ops->tip(source));
}

void
pipeline_reach_keep(const PipelineSource *source)
{
	const Pipeline *pipeline = source->pipeline;
	List	   *tips = source->ops->tips(source);

	if (tips != NIL)
		checkpoint_note_tips(pipeline->name, tips);
}
