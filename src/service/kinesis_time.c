/*
 * kinesis_time.c
 *	  Kinesis: the time by the service's clock.
 *
 * No operation tells the time.  But Kinesis refuses an iterator at a time in
 * the future, and the refusal tells the time to the millisecond, by the clock
 * that it compares with.  Emulators refuse without telling it, or do not
 * refuse; their answers have a Date header.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "service/kinesis_wire.h"

/* A time so far ahead of our clock is in the future by any clock: a year */
#define FAR_AHEAD_US (365 * USECS_PER_DAY)

/* In the refusal, the service's time follows these words */
#define TOLD "currentTimestampInMillis: "

/*
 * Ask for an iterator at a time, and wait.  The call has succeeded, or failed
 * as the service refuses the time; any other failure is raised.
 */
static AwsCall *
ask_iterator(const KinesisStream *stream, const char *shard_id,
			 TimestampTz time)
{
	KinesisIteratorStart start = {
		.type = KINESIS_AT_TIMESTAMP,
		.timestamp = time
	};
	const char *what = psprintf("ask the clock of stream \"%s\"",
								stream->name);
	const AwsError *error;
	StringInfoData body;
	AwsCall    *call;

	kinesis_body_iterator(&body, stream, shard_id, &start);
	call = kinesis_call(stream->aws, KINESIS_TARGET("GetShardIterator"), &body,
						AWS_ERROR_FATAL, what);
	error = aws_call_error(call);
	if (error != NULL && strcmp(error->code, "InvalidArgumentException") != 0)
		aws_error_raise(error, what);
	return call;
}

/* The time that a refusal tells; 0 if it tells none. */
static TimestampTz
told_time(const AwsError *refusal)
{
	const char *told = strstr(refusal->message, TOLD);
	int64		ms = told == NULL ? 0 :
		strtoll(told + strlen(TOLD), NULL, 10);

	/* a time that cannot be is not believed */
	if (ms <= 0 || ms > (GetCurrentTimestamp() + KINESIS_EPOCH_US) / 1000 +
		FAR_AHEAD_US / 1000)
		return 0;
	return ms * 1000 - KINESIS_EPOCH_US;
}

void
kinesis_ask_time(const KinesisStream *stream, const char *shard_id,
				 KinesisTime *time)
{
	AwsCall    *call = ask_iterator(stream, shard_id,
									GetCurrentTimestamp() + FAR_AHEAD_US);
	const AwsError *refusal = aws_call_error(call);
	int64		date = aws_call_date(call);

	time->judges = refusal != NULL;
	time->told = refusal != NULL ? told_time(refusal) : 0;
	time->date = date == 0 ? 0 : date * USECS_PER_SEC - KINESIS_EPOCH_US;
	aws_call_close(call);
}

bool
kinesis_has_come(const KinesisStream *stream, const char *shard_id,
				 TimestampTz time)
{
	AwsCall    *call = ask_iterator(stream, shard_id, time);
	bool		has_come = aws_call_error(call) == NULL;

	aws_call_close(call);
	return has_come;
}
