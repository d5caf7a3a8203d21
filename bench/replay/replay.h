/*
 * replay.h
 *	  A Kinesis server that answers from memory, for the bench.
 *
 * A content is a file of payloads, one in each line.  A stream repeats a
 * content; the stream's name describes it, so no stream has to be created:
 *
 *	  CONTENT.s4.n1000000		4 shards (default 1), 1,000,000 records
 *	  ... .l500					at most 500 records an answer
 *	  ... .r30					30 records a second appear in each shard, from
 *								the first call on; without .r all records
 *								are there already
 *	  ... .f1					faults: of 20 GetRecords of a shard 2 are
 *								throttled, 1 fails, 1 is cut, 2 are empty
 *	  ... .x7					another stream, of the same kind
 *
 * Record number g of a stream, counted from 0 over its shards one after the
 * other, holds line g of its content, which begins anew after the last line.
 */
#ifndef REPLAY_H
#define REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* GetRecords: records and bytes of payload an answer (API reference) */
#define ANSWER_RECORDS 10000
#define ANSWER_BYTES (10 * 1024 * 1024)
/* ListShards: shards an answer (API reference) */
#define LIST_SHARDS 1000

#define NAME_BYTES 128			/* of a stream (API reference) */
#define SEQUENCE_DIGITS 56		/* as the service has them */
#define STAMP_DIGITS 14			/* seconds since 1970, a point, milliseconds */

/* A file's payloads as records of an answer, each with a comma before it. */
typedef struct Content
{
	char		name[NAME_BYTES];
	int			n_records;
	char	   *text;
	size_t	   *start;			/* in text; one more than records */
	uint32_t   *payload_bytes;
	size_t		longest;		/* record's text */
	struct Content *next;
} Content;

typedef struct Stream
{
	char		name[NAME_BYTES];
	const Content *content;
	int			n_shards;
	int64_t		n_records;
	int			limit;
	int			rate;			/* 0: all records are there already */
	bool		faulty;
	int64_t		began_us;		/* arrival of the first record */
	int64_t    *calls;			/* GetRecords of each shard */
	struct Stream *next;
} Stream;

/* Records of one shard: a part of an answer. */
typedef struct Slice
{
	const Stream *stream;
	int			shard;
	int64_t		first;			/* in the shard, from 0 */
	int64_t		end;
	bool		begun;			/* the array's bracket is written */
} Slice;

/* The JSON of a request. */
typedef struct Request
{
	const char *body;
	size_t		len;
} Request;

/* An answer: a head of HTTP and JSON, records, and the end of the JSON. */
typedef struct Answer
{
	char	   *head;			/* malloc'd */
	size_t		head_bytes;
	Slice		slice;
	size_t		records_bytes;
	char		tail[NAME_BYTES + 512];
	size_t		tail_bytes;
	size_t		cut_after;		/* close the connection after so many bytes;
								 * 0: do not */
} Answer;

/* in content.c */
extern void content_load(const char *name, const char *path);
extern const Content *content_find(const char *name, size_t len);
extern size_t content_longest(void);

/*
 * Write as many whole records of a slice as fit, and move its first.  The
 * first record of all has a bracket in the place of its comma.
 */
extern size_t content_write(Slice *slice, char *out, size_t room);

/* Shorten a slice to ANSWER_BYTES of payload; returns its bytes as text. */
extern size_t content_measure(Slice *slice);

/* in stream.c */
extern int64_t now_us(void);
extern Stream *stream_get(const char *name, size_t len);
extern int64_t stream_shard_start(const Stream *stream, int shard);
extern int64_t stream_shard_records(const Stream *stream, int shard);

/* How many of a shard's records have arrived. */
extern int64_t stream_arrived(const Stream *stream, int shard, int64_t now);
extern int64_t stream_arrival_us(const Stream *stream, int shard,
								 int64_t record);
extern int64_t stream_record_after(const Stream *stream, int shard,
								   int64_t time);
extern void sequence_write(char *out, int64_t record);
extern void sequence_next(char *sequence);
extern int64_t sequence_read(const char *text, size_t len);

/* in message.c */
/* A string's characters; false if there is no such member. */
extern bool request_string(const Request *request, const char *name,
						   const char **text, size_t *len);
extern double request_number(const Request *request, const char *name,
							 double otherwise);

/* The head of HTTP, and the first bytes of a body of body_bytes. */
extern void answer_begin(Answer *answer, const char *status, const char *body,
						 size_t first_bytes, size_t body_bytes);
extern void answer_text(Answer *answer, const char *status, const char *body);
extern void answer_error(Answer *answer, const char *status, const char *code,
						 const char *message);
extern void answer_refuse(Answer *answer, const char *code,
						  const char *message);

/* in api.c */
extern void api_answer(const char *target, size_t target_len, const char *body,
					   size_t body_len, Answer *answer);

#endif							/* REPLAY_H */
