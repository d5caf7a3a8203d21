/*
 * kinesis_time.c
 *	  Kinesis: what time it is there.
 *
 * There is no operation that tells.  But a service gives no iterator at a time
 * that it has not come to, and when it refuses says what time it has: by the
 * clock that it compares with, to the millisecond.  Emulators refuse without a
 * word, or do not refuse; their answers are dated.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "service/kinesis_wire.h"

/* No clock has come to what is so far ahead of ours: a year. */
#define FAR_AHEAD_US (365 * USECS_PER_DAY)

/* What the service's own time stands behind, in its refusal */
#define TOLD "currentTimestampInMillis: "

/*
 * The answer to a question for an iterator at a time; an error that is no
 * refusal of the time is raised.
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

static TimestampTz
told_time(const AwsError *refusal)
{
	const char *told = strstr(refusal->message, TOLD);
	int64		ms = told == NULL ? 0 :
		strtoll(told + strlen(TOLD), NULL, 10);

	/* nonsense is no time */
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
