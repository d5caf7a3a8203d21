/*
 * aws_answer.c
 *	  Reading the answer to one attempt at a call.
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/datetime.h"

#include "aws/aws_answer.h"
#include "aws/aws_document.h"

static void
fill_refusal(AwsError *error, const HttpExchange *http,
			 const char *const *secrets)
{
	const HttpResponse *response = http_response(http);
	AwsAnswer	answer = {
		.http_status = response->status,
		.error_type = http_response_header(http, "x-amzn-ErrorType"),
		.request_id = http_response_header(http, "x-amzn-RequestId"),
		.bucket_region = http_response_header(http, "x-amz-bucket-region"),
		.body = response->body,
		.body_bytes = response->body_bytes,
		.secrets = secrets
	};

	if (answer.request_id == NULL)
		answer.request_id = http_response_header(http, "x-amz-request-id");
	aws_error_from_answer(error, &answer);
}

/* Is it a success by the status, and if that is doubted, by the body, too? */
static bool
succeeded(const HttpResponse *response, bool doubt_success)
{
	return response->status >= 200 && response->status <= 299 &&
		!(doubt_success &&
		  aws_document_is_error(response->body, response->body_bytes));
}

void
aws_answer_judge(const HttpExchange *http, bool doubt_success,
				 const char *const *secrets, AwsError *error)
{
	const HttpResponse *response = http_response(http);

	if (response->failure != HTTP_OK)
		aws_error_from_failure(error, response->failure,
							   response->failure_text, secrets);
	else if (!succeeded(response, doubt_success))
		fill_refusal(error, http, secrets);
	else
		memset(error, 0, sizeof(AwsError));
}

/* The header is like "Sun, 06 Nov 1994 08:49:37 GMT". */
bool
aws_answer_date(const HttpExchange *http, int64 *seconds)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *text = http_response_header(http, "Date");
	char		month[4];
	const char *found;
	int			year;
	int			day;
	int			hour;
	int			minute;
	int			second;

	if (text == NULL ||
		sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT",
			   &day, month, &year, &hour, &minute, &second) != 6 ||
		(found = strstr(months, month)) == NULL || (found - months) % 3 != 0 ||
		year < 1970)
		return false;

	*seconds = (int64) (date2j(year, (found - months) / 3 + 1, day) -
						UNIX_EPOCH_JDATE) * SECS_PER_DAY +
		hour * SECS_PER_HOUR + minute * SECS_PER_MINUTE + second;
	return true;
}

/* The header is in milliseconds, as AWS's SDKs read it. */
long
aws_answer_retry_after_ms(const HttpExchange *http)
{
	const char *header = http_response_header(http, "x-amz-retry-after");

	return header ? strtol(header, NULL, 10) : 0;
}
