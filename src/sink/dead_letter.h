/*
 * dead_letter.h
 *	  Records that could not be decoded, kept whole in tracking.dead_letter.
 */
#ifndef TRACKING_SINK_DEAD_LETTER_H
#define TRACKING_SINK_DEAD_LETTER_H

#include "postgres.h"

#include "stream/batch.h"

/* Keep the batch's rejects, in the transaction that moves its positions. */
extern void dead_letter_keep(const char *pipeline, const Batch *batch);

#endif							/* TRACKING_SINK_DEAD_LETTER_H */
