/*
 * stream.c
 *	  Streams: reads their names, and computes their records and arrival times.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "replay.h"

/* A sequence number is this and the record's number in its shard, from 1. */
#define SEQUENCE_PREFIX "4959033827149025660855969253836157109592"
#define SEQUENCE_PREFIX_DIGITS ((int) sizeof(SEQUENCE_PREFIX) - 1)

/* Records that are there already arrived so long before the first call ... */
#define BACKLOG_US (3600 * INT64_C(1000000))
/* ... and so many a second in each shard */
#define BACKLOG_RATE 100000

static Stream *streams;

int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* Read one ".x123" of a stream's name. */
static bool
set_property(Stream *stream, char letter, int64_t value)
{
	switch (letter)
	{
		case 's':
			stream->n_shards = value;
			return value > 0;
		case 'n':
			stream->n_records = value;
			return true;
		case 'l':
			stream->limit = value;
			return value > 0;
		case 'r':
			stream->rate = value;
			return value > 0;
		case 'f':
			stream->faulty = value != 0;
			return true;
		case 'x':
			return true;
		default:
			return false;
	}
}

static bool
parse_name(Stream *stream)
{
	const char *at = strchr(stream->name, '.');

	stream->n_shards = 1;
	stream->limit = ANSWER_RECORDS;
	stream->content = content_find(
								   stream->name, at ? (size_t) (at - stream->name) : strlen(stream->name));
	if (stream->content == NULL)
		return false;
	while (at != NULL && *at == '.')
	{
		char		letter = at[1];
		char	   *end;
		int64_t		value;

		if (letter == '\0')
			return false;
		value = strtoll(at + 2, &end, 10);
		if (end == at + 2 || !set_property(stream, letter, value))
			return false;
		at = end;
	}
	return at == NULL || *at == '\0';
}

Stream *
stream_get(const char *name, size_t len)
{
	Stream	   *stream;

	for (stream = streams; stream; stream = stream->next)
		if (strlen(stream->name) == len &&
			memcmp(stream->name, name, len) == 0)
			return stream;
	if (len == 0 || len >= NAME_BYTES)
		return NULL;

	stream = calloc(1, sizeof(Stream));
	memcpy(stream->name, name, len);
	if (!parse_name(stream))
	{
		free(stream);
		return NULL;
	}
	stream->calls = calloc(stream->n_shards, sizeof(int64_t));
	stream->began_us = now_us() - (stream->rate ? 0 : BACKLOG_US);
	stream->next = streams;
	streams = stream;
	return stream;
}

int64_t
stream_shard_start(const Stream *stream, int shard)
{
	return stream->n_records * shard / stream->n_shards;
}

int64_t
stream_shard_records(const Stream *stream, int shard)
{
	return stream_shard_start(stream, shard + 1) -
		stream_shard_start(stream, shard);
}

/*
 * When a record arrives.  The records of a live stream's shards arrive one
 * after the other within the time between two records of a shard.
 */
int64_t
stream_arrival_us(const Stream *stream, int shard, int64_t record)
{
	int			rate = stream->rate ? stream->rate : BACKLOG_RATE;

	return stream->began_us + record * 1000000 / rate +
		INT64_C(1000000) * shard / stream->n_shards / rate;
}

/* The first record that arrives at this time or later. */
int64_t
stream_record_after(const Stream *stream, int shard, int64_t time)
{
	int64_t		low = 0;
	int64_t		high = stream_shard_records(stream, shard);

	while (low < high)
	{
		int64_t		middle = low + (high - low) / 2;

		if (stream_arrival_us(stream, shard, middle) < time)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int64_t
stream_arrived(const Stream *stream, int shard, int64_t now)
{
	if (stream->rate == 0)
		return stream_shard_records(stream, shard);
	return stream_record_after(stream, shard, now + 1);
}

void
sequence_write(char *out, int64_t record)
{
	int			digit = SEQUENCE_DIGITS;

	record++;
	memcpy(out, SEQUENCE_PREFIX, SEQUENCE_PREFIX_DIGITS);
	while (digit > SEQUENCE_PREFIX_DIGITS)
	{
		out[--digit] = '0' + record % 10;
		record /= 10;
	}
}

void
sequence_next(char *sequence)
{
	int			digit = SEQUENCE_DIGITS;

	while (++sequence[--digit] > '9')
		sequence[digit] = '0';
}

/*
 * The number in its shard of the record with this sequence number; -1 before
 * the first, and if the text is not valid.
 */
int64_t
sequence_read(const char *text, size_t len)
{
	if (len != SEQUENCE_DIGITS)
		return -1;
	return strtoll(text + SEQUENCE_PREFIX_DIGITS, NULL, 10) - 1;
}
