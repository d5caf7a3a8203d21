/*
 * replay_filter.h
 *	  The filter that picks the dead letters to replay.
 */
#ifndef TRACKING_FUNCTION_REPLAY_FILTER_H
#define TRACKING_FUNCTION_REPLAY_FILTER_H

#include "postgres.h"

/*
 * The ids of a pipeline's dead letters for which filter is true (NULL: of
 * all), as an array of bigint in the current context.  The filter is an SQL
 * condition that the caller has written: it runs with the caller's rights and
 * search_path, and sees only what the caller may see, like any query of the
 * caller's.
 */
extern Datum replay_filter_pick(const char *pipeline, const char *filter);

#endif							/* TRACKING_FUNCTION_REPLAY_FILTER_H */
