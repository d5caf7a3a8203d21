/*
 * bench.c
 *	  How fast the scanner and base64 are, on two sizes of events.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "json/json_scan.h"

#define ROUNDS 1000000

static const char *const events[] = {
	"{\"id\":12345678,\"name\":\"entity name here\",\"description\":"
	"\"a short description of it\",\"ok\":true}",
	"{\"event_id\":\"6f1c9d2e-3b7a-4c55-9f57-0f2d1c3b4a59\",\"type\":"
	"\"page_view\",\"ts\":\"2026-11-23T01:02:03.456Z\",\"user\":{\"id\":83720,"
	"\"email\":\"someone@example.com\",\"plan\":\"pro\"},\"context\":{\"page\":"
	"{\"url\":\"https://app.example.com/projects/42/items?sort=asc&page=3\","
	"\"title\":\"Items - Project 42\",\"referrer\":"
	"\"https://app.example.com/projects\"},\"screen\":{\"w\":1920,\"h\":1080,"
	"\"dpr\":1.5},\"agent\":\"a browser's name, version and platform\"},"
	"\"price\":892.20,\"tags\":[\"a\",\"b\",\"c\"]}",
};

/* Results go here, so that no work is left out. */
static volatile size_t sink;

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void
report(const char *what, size_t bytes, double since)
{
	double		took = seconds() - since;

	printf("%-14s %4zu bytes: %6.3f us, %5.2f GB/s\n", what, bytes,
		   took / ROUNDS * 1e6, bytes * (double) ROUNDS / took / 1e9);
}

static void
bench(const char *text)
{
	size_t		len = strlen(text);
	size_t		encoded_len = BASE64_ENCODED_LEN(len);
	char	   *encoded = malloc(encoded_len);
	char	   *decoded = malloc(BASE64_DECODED_MAX(encoded_len));
	JsonScan	scan;
	JsonSlice	value;
	double		since;
	int			i;

	since = seconds();
	for (i = 0; i < ROUNDS; i++)
	{
		json_scan_init(&scan, text, len);
		sink = json_scan_value(&scan, &value);
	}
	report("scan a value", len, since);

	since = seconds();
	for (i = 0; i < ROUNDS; i++)
	{
		json_scan_init(&scan, text, len);
		while (json_scan_next(&scan) > JSON_TOKEN_END)
			sink = scan.value.len;
	}
	report("scan tokens", len, since);

	base64_encode(text, len, encoded);
	since = seconds();
	for (i = 0; i < ROUNDS; i++)
		sink = base64_decode(encoded, encoded_len, decoded);
	report("decode base64", encoded_len, since);
	free(encoded);
	free(decoded);
}

int
main(void)
{
	size_t		i;

	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		bench(events[i]);
	return 0;
}
