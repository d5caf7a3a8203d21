/*
 * kinesis_answer.h
 *	  Reading an answer to GetRecords; for kinesis_answer.c, kinesis_record.c
 *	  and kinesis_page.c only.
 */
#ifndef TRACKING_SERVICE_KINESIS_ANSWER_H
#define TRACKING_SERVICE_KINESIS_ANSWER_H

#include "postgres.h"

#include "json/json_scan.h"
#include "service/kinesis_wire.h"

/*
 * An answer that is being read; lives in its call's context, which is the
 * current one meanwhile.
 */
typedef struct KinesisAnswer
{
	AwsCall    *call;
	MemoryContext caller_cxt;	/* the caller's current context */
	JsonScan	scan;
	bool		in_records;		/* the scan is in the array of records, after
								 * those that are read */
	size_t		next_bytes;		/* do not go on before the body has so many
								 * bytes */
	KinesisPage *page;
	int			n_allocated;	/* records that page->records has room for */
} KinesisAnswer;

/* in kinesis_answer.c */

/*
 * Close the call and raise an error, as the answer is not what it should be.
 * why is a sentence; the scan's error replaces it if there is one.
 */
pg_noreturn extern void kinesis_answer_refuse(KinesisAnswer *answer,
											  const char *why);

/*
 * Enter the container that is the next value; false if the value is null.
 * Raises an error if it has another type.
 */
extern bool kinesis_answer_enter(KinesisAnswer *answer, JsonToken type);

/*
 * The text of a string value, unescaped in place and terminated (in place of
 * the closing quote, which the scan has passed).  NULL if the value is no
 * string.
 */
extern char *kinesis_answer_string(KinesisAnswer *answer,
								   const JsonSlice *value);

/*
 * The value of a JSON number times 10^shift, rounded.  Exact, where a double
 * would hold 1763866000.123 seconds only approximately.  False if it is too
 * large.
 */
extern bool kinesis_answer_number(const JsonSlice *value, int shift,
								  int64 *result);

/* in kinesis_record.c */

/* Read the remaining records of the array, to its end. */
extern void kinesis_answer_records(KinesisAnswer *answer);

/*
 * Read records as long as they are plain, see take_record(), and complete.
 * The scan stays before the first other one.
 */
extern void kinesis_answer_plain_records(KinesisAnswer *answer);

/* Read the next key of the innermost object; false at the object's end. */
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

/* Read the next value, a container as a whole. */
static inline JsonToken
kinesis_answer_value(KinesisAnswer *answer, JsonSlice *value)
{
	JsonToken	type = json_scan_value(&answer->scan, value);

	if (type == JSON_TOKEN_ERROR)
		kinesis_answer_refuse(answer, NULL);
	return type;
}

/* Enter the next object of the innermost array; false at the array's end. */
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

/* Does *p begin with this text?  If so, moves *p after it. */
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
