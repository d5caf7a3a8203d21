/*
 * replay_filter.h
 *	  Which dead letters a replay is about.
 */
#ifndef TRACKING_FUNCTION_REPLAY_FILTER_H
#define TRACKING_FUNCTION_REPLAY_FILTER_H

#include "postgres.h"

/*
 * The ids of the dead letters of a pipeline that the filter picks, NULL: all;
 * an array of bigint, in the current context.  The filter is an SQL condition
 * of the caller's: it runs with his rights, under his search_path, and sees
 * what he may see, like anything that he types himself.
 */
extern Datum replay_filter_pick(const char *pipeline, const char *filter);

#endif							/* TRACKING_FUNCTION_REPLAY_FILTER_H */
