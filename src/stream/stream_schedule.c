/*
 * stream_schedule.c
 *	  When to make the next call for which shard.
 *
 * These functions do not wait for calls, and do not know what becomes of
 * pages.
 */
#include "postgres.h"

#include "base/clock.h"
#include "stream/stream_private.h"
#include "utils/memutils.h"

/*
 * Calls under way at once.  Each takes a connection, and src/http opens no
 * more than so many; a further call would wait there while its timeout runs.
 */
#define CALLS_AT_ONCE 200

/* At least one of the lost shards is asked so often */
#define PROBE_MS 5000

/* A poll may be late by 1/4 of the interval */
#define POLL_LATE_PART 4

static int
compare_due(const pairingheap_node *a, const pairingheap_node *b, void *arg)
{
	int64		a_ms = pairingheap_const_container(ReaderShard, due_node, a)->due_ms;
	int64		b_ms = pairingheap_const_container(ReaderShard, due_node, b)->due_ms;

	(void) arg;
	/* the heap has the greatest on top */
	return a_ms < b_ms ? 1 : a_ms > b_ms ? -1 : 0;
}

void
stream_schedule_init(StreamReader *reader)
{
	MemoryContext old = MemoryContextSwitchTo(reader->cxt);

	reader->due = pairingheap_allocate(compare_due, NULL);
	MemoryContextSwitchTo(old);
	dlist_init(&reader->blocked);
	dlist_init(&reader->waiting);
}

static void
leave_place(StreamReader *reader, ReaderShard *shard)
{
	if (shard->place == PLACE_DUE)
		pairingheap_remove(reader->due, &shard->due_node);
	else if (shard->place != PLACE_NONE)
		dlist_delete(&shard->place_node);
	shard->place = PLACE_NONE;
}

void
stream_schedule(StreamReader *reader, ReaderShard *shard)
{
	ShardState	state = shard_reader_state(shard->reader);
	int64		now_ms = clock_now_ms();
	long		wait_ms = shard_reader_due(shard->reader, now_ms);

	leave_place(reader, shard);
	if (state == SHARD_WAITING)
	{
		shard->place = PLACE_PARENTS;
		dlist_push_tail(&reader->waiting, &shard->place_node);
		reader->released = false;
	}
	/* a shard with two pages in the queue needs no call */
	else if (wait_ms >= 0 && !(state == SHARD_READY && shard->n_pages > 1))
	{
		shard->place = PLACE_DUE;
		shard->due_ms = now_ms + wait_ms;
		pairingheap_add(reader->due, &shard->due_node);
	}
}

/* Is a parent read, or not the reader's?  NULL: there is no such parent. */
static bool
parent_is_read(const StreamReader *reader, const char *shard_id)
{
	ReaderShard *parent;

	if (shard_id == NULL)
		return true;
	parent = stream_find_shard(reader, shard_id);
	return parent == NULL || shard_reader_state(parent->reader) == SHARD_DONE;
}

/* Let the waiting shards begin whose parents are all read. */
static void
release_children(StreamReader *reader)
{
	dlist_mutable_iter iter;

	if (reader->released)
		return;
	dlist_foreach_modify(iter, &reader->waiting)
	{
		ReaderShard *shard = dlist_container(ReaderShard, place_node,
											 iter.cur);

		if (parent_is_read(reader, shard->shard.parent_shard_id) &&
			parent_is_read(reader, shard->shard.adjacent_parent_shard_id))
		{
			shard_reader_release(shard->reader);
			stream_schedule(reader, shard);
		}
	}
	reader->released = true;
}

/*
 * Is there room in the budget for the answer to this shard's next call?  When
 * no answer is kept or coming, one is allowed whatever its size.  One is also
 * allowed when the queue has too few records for a batch: should the answer
 * have no room, it waits on its connection.
 */
static bool
has_room(const StreamReader *reader, const ReaderShard *shard)
{
	size_t		used = reader->kept_bytes + reader->coming_bytes;

	return shard_reader_state(shard->reader) != SHARD_READY || used == 0 ||
		used + shard_reader_expected_bytes(shard->reader) <=
		reader->options.budget_bytes ||
		(reader->coming_bytes == 0 &&
		 reader->queued_records < reader->options.min_rows);
}

static void
start_call(StreamReader *reader, ReaderShard *shard, int64 now_ms)
{
	leave_place(reader, shard);
	shard_reader_start(shard->reader, now_ms);
	switch (shard_reader_state(shard->reader))
	{
		case SHARD_RECORDS_CALL:
			reader->coming_bytes += shard_reader_expected_bytes(shard->reader);
			reader->n_calls++;
			stream_reach_asked(reader, shard);
			break;
		case SHARD_ITERATOR_CALL:
			reader->n_calls++;
			stream_reach_asked(reader, shard);
			break;
		default:
			stream_schedule(reader, shard);
	}
}

/*
 * Start the calls of the blocked shards, in the order in which they have
 * waited, before any others: else a shard might wait for ever.
 */
static void
start_blocked(StreamReader *reader, int64 now_ms)
{
	while (!dlist_is_empty(&reader->blocked) &&
		   reader->n_calls < CALLS_AT_ONCE)
	{
		ReaderShard *shard = dlist_head_element(ReaderShard, place_node,
												&reader->blocked);

		if (!has_room(reader, shard))
			return;
		start_call(reader, shard, now_ms);
	}
}

long
stream_start_calls(StreamReader *reader)
{
	int64		now_ms = clock_now_ms();

	release_children(reader);
	start_blocked(reader, now_ms);
	while (!pairingheap_is_empty(reader->due) &&
		   reader->n_calls < CALLS_AT_ONCE)
	{
		ReaderShard *shard = pairingheap_container(ReaderShard, due_node,
												   pairingheap_first(reader->due));

		if (shard->due_ms > now_ms)
			return (long) (shard->due_ms - now_ms);
		if (shard_reader_due(shard->reader, now_ms) > 0)
			stream_schedule(reader, shard);
		else if (shard_reader_state(shard->reader) == SHARD_READY &&
				 (!dlist_is_empty(&reader->blocked) ||
				  !has_room(reader, shard)))
		{
			leave_place(reader, shard);
			shard->place = PLACE_MEMORY;
			dlist_push_tail(&reader->blocked, &shard->place_node);
		}
		else
			start_call(reader, shard, now_ms);
	}
	return -1;
}

/*
 * Ask a shard at its tip again when all others are asked: at the next multiple
 * of the poll interval, so that their records come in one batch.  If its
 * allowance does not permit a call by then, the shard leaves that poll out.
 * Otherwise, where the polls use up the whole allowance, one late call would
 * make the call a second after it just as late, and so on.
 */
static void
postpone_to_next_poll(StreamReader *reader, ReaderShard *shard)
{
	long		poll_ms = reader->options.poll_ms;
	int64		now_ms = clock_now_ms();
	int64		free_ms = now_ms + shard_reader_due(shard->reader, now_ms);
	int64		poll_at_ms = (now_ms / poll_ms + 1) * poll_ms;

	if (free_ms > poll_at_ms + poll_ms / POLL_LATE_PART)
		poll_at_ms = (free_ms / poll_ms + 1) * poll_ms;
	shard_reader_postpone(shard->reader, poll_at_ms);
}

/* Have the n shards that were lost first asked at latest_ms or before. */
static void
hurry_lost(StreamReader *reader, int n, int64 latest_ms)
{
	dlist_iter	iter;

	dlist_foreach(iter, &reader->lost)
	{
		ReaderShard *shard = dlist_container(ReaderShard, reach_node, iter.cur);

		if (n-- == 0)
			break;
		if (shard->place == PLACE_DUE && shard->due_ms > latest_ms)
		{
			shard_reader_hurry(shard->reader, latest_ms);
			stream_schedule(reader, shard);
		}
	}
}

void
stream_probe_lost(StreamReader *reader)
{
	hurry_lost(reader, 1, clock_now_ms() + PROBE_MS);
}

KinesisPage *
stream_finish_call(StreamReader *reader, ReaderShard *shard, AwsCall *call)
{
	ShardState	before = shard_reader_state(shard->reader);
	size_t		expected = shard_reader_expected_bytes(shard->reader);
	KinesisPage *page = shard_reader_finish(shard->reader, call);
	ShardState	after = shard_reader_state(shard->reader);

	/* a call that looks for the tip does not change the shard's state */
	if (before == after)
		return page;

	reader->n_calls--;
	if (before == SHARD_RECORDS_CALL)
		reader->coming_bytes -= expected;
	if (after == SHARD_READY && before == SHARD_RECORDS_CALL &&
		shard_reader_at_tip(shard->reader) &&
		shard_reader_trouble(shard->reader) == NULL)
		postpone_to_next_poll(reader, shard);
	if (after == SHARD_DONE)
	{
		reader->n_open--;
		reader->released = false;
	}

	/*
	 * A lost shard is answered for again: have two others asked.  Each of
	 * them does the same, so that soon all are asked.
	 */
	if (stream_reach_finished(reader, shard))
		hurry_lost(reader, 2, clock_now_ms());
	return page;
}
