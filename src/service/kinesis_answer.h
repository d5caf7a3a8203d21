/*
 * kinesis_answer.h
 *	  The answer to GetRecords while it is read: a matter of kinesis_answer.c,
 *	  kinesis_record.c and kinesis_page.c only.
 */
#ifndef TRACKING_SERVICE_KINESIS_ANSWER_H
#define TRACKING_SERVICE_KINESIS_ANSWER_H

#include "postgres.h"

#include "json/json_scan.h"
#include "service/kinesis_wire.h"

/* In the call's context. */
typedef struct KinesisAnswer
{
	AwsCall    *call;
	MemoryContext caller_cxt;	/* the call's own is the current one */
	JsonScan	scan;
	bool		in_records;		/* in the array, behind some of them */
	size_t		next_bytes;		/* so many must have come to go on */
	KinesisPage *page;
	int			n_allocated;	/* of page->records */
} KinesisAnswer;
/*
 * Close the call and raise an error: the answer is not what it should be, for
 * what the scan has found, or else for why, a sentence.
 */
pg_noreturn extern void kinesis_answer_refuse(KinesisAnswer *answer,
											  const char *why);

/*
 * Enter a container of this type, where a value stands; false if it is null.
 */
extern bool kinesis_answer_enter(KinesisAnswer *answer, JsonToken type);

/*
 * A string of the answer, unescaped in place and terminated (its quote gives
 * the room, and the scan is past it).  NULL if the value is no string.
 */
extern char *kinesis_answer_string(KinesisAnswer *answer,
								   const JsonSlice *value);

/*
 * A JSON number times 10^shift, rounded.  Exact, where a double would turn
 * 1763866000.123 seconds into something near it.  False if it is too large.
 */
extern bool kinesis_answer_number(const JsonSlice *value, int shift,
								  int64 *result);

/*
 * Read the records of the array that was entered, from where the answer is on:
 * all; or those that are plain and all there.
 */
extern void kinesis_answer_records(KinesisAnswer *answer);
extern void kinesis_answer_plain_records(KinesisAnswer *answer);

/* The next member of the object that was entered last; false at its end. */
static inline bool
kinesis_answer_member(KinesisAnswer *answer, JsonSlice *key)
{
	JsonToken	token = json_scan_next(&answer->scan);

	if (token == JSON_TOKEN_OBJECT_END)
		return false;
	if (token != JSON_TOKEN_KEY)
		kinesis_answer_refuse(answer, "An object was expected.");
	*key = answer->scan.value;
	return true;
}

#define KINESIS_KEY_IS(key, name) \
	((key).len == sizeof(name) - 1 && \
	 memcmp((key).start, (name), sizeof(name) - 1) == 0)

static inline JsonToken
kinesis_answer_value(KinesisAnswer *answer, JsonSlice *value)
{
	JsonToken	type = json_scan_value(&answer->scan, value);

	if (type == JSON_TOKEN_ERROR)
		kinesis_answer_refuse(answer, NULL);
	return type;
}

/* Elements of an array that was entered; false at its end. */
static inline bool
kinesis_answer_object(KinesisAnswer *answer)
{
	JsonToken	token = json_scan_next(&answer->scan);

	if (token == JSON_TOKEN_ARRAY_END)
		return false;
	if (token != JSON_TOKEN_OBJECT_START)
		kinesis_answer_refuse(answer, "An array has an element that is no object.");
	return true;
}

/* Does text begin with these characters, at *p?  Then moves *p behind them. */
static inline bool
kinesis_take(const char **p, const char *end, const char *text, size_t bytes)
{
	if ((size_t) (end - *p) < bytes || memcmp(*p, text, bytes) != 0)
		return false;
	*p += bytes;
	return true;
}

#define KINESIS_TAKE(p, end, text) \
	kinesis_take((p), (end), (text), sizeof(text) - 1)

#endif							/* TRACKING_SERVICE_KINESIS_ANSWER_H */
