/*
 * message.c
 *	  Reads requests, and writes the beginning of answers.
 *
 * A request's members are found by searching for their names: this is enough
 * for the client of the bench, whose values have no quotes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"

static const char *
member(const Request *request, const char *name)
{
	char		quoted[64];
	int			len = snprintf(quoted, sizeof(quoted), "\"%s\"", name);
	const char *at = memmem(request->body, request->len, quoted, len);

	if (at == NULL)
		return NULL;
	at += len;
	return at + strspn(at, " \t\r\n:");
}

bool
request_string(const Request *request, const char *name, const char **text,
			   size_t *len)
{
	const char *at = member(request, name);

	if (at == NULL || *at != '"')
		return false;
	*text = at + 1;
	*len = strcspn(at + 1, "\"");
	return true;
}

double
request_number(const Request *request, const char *name, double otherwise)
{
	const char *at = member(request, name);

	return at == NULL ? otherwise : strtod(at, NULL);
}

void
answer_begin(Answer *answer, const char *status, const char *body,
			 size_t first_bytes, size_t body_bytes)
{
	static int64_t id;
	char	   *head = malloc(first_bytes + 256);
	int			len = sprintf(head,
							  "HTTP/1.1 %s\r\n"
							  "x-amzn-RequestId: replay-%012lld\r\n"
							  "Content-Type: application/x-amz-json-1.1\r\n"
							  "Content-Length: %zu\r\n\r\n",
							  status, (long long) ++id, body_bytes);

	memcpy(head + len, body, first_bytes);
	answer->head = head;
	answer->head_bytes = len + first_bytes;
}

void
answer_text(Answer *answer, const char *status, const char *body)
{
	answer_begin(answer, status, body, strlen(body), strlen(body));
}

void
answer_error(Answer *answer, const char *status, const char *code,
			 const char *message)
{
	char		body[512];

	snprintf(body, sizeof(body), "{\"__type\":\"%s\",\"message\":\"%s\"}",
			 code, message);
	answer_text(answer, status, body);
}

void
answer_refuse(Answer *answer, const char *code, const char *message)
{
	answer_error(answer, "400 Bad Request", code, message);
}
