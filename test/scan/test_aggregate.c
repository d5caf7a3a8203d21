/*
 * test_aggregate.c
 *	  The bounds of the aggregate decoder, which no real server lets through,
 *	  and the MD5 that it checks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/md5.h"
#include "check.h"
#include "service/aggregate.h"

/* RFC 1321, A.5 */
static const struct
{
	const char *text;
	const char *digest;
}			digests[] = {
	{"", "d41d8cd98f00b204e9800998ecf8427e"},
	{"a", "0cc175b9c0f1b6a831c399e269772661"},
	{"abc", "900150983cd24fb0d6963f7d28e17f72"},
	{"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
	{"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
	{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
	"d174ab98d277d9f5a5611c2c9f419d9f"},
	{"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
	"57edf4a22be3c955ac49da2e2107b67a"},
};

static void
test_md5(void (*md5) (const char *, size_t, uint8_t *))
{
	size_t		i;
	int			j;

	for (i = 0; i < sizeof(digests) / sizeof(digests[0]); i++)
	{
		uint8_t		digest[MD5_BYTES];
		char		hex[2 * MD5_BYTES + 1];

		md5(digests[i].text, strlen(digests[i].text), digest);
		for (j = 0; j < MD5_BYTES; j++)
			sprintf(hex + 2 * j, "%02x", digest[j]);
		check(strcmp(hex, digests[i].digest) == 0, "md5 of \"%s\" is %s",
			  digests[i].text, hex);
	}
}

/* A message of so many keys, hash keys and records. */
static bool
accepts(int n_keys, int n_hash_keys, int n_records)
{
	static const char key[] = {0x0A, 1, 'k'};
	static const char hash_key[] = {0x12, 1, '7'};
	static const char record[] = {0x1A, 4, 0x08, 0, 0x1A, 0};
	char	   *message = malloc(n_keys * sizeof(key) +
								 n_hash_keys * sizeof(hash_key) +
								 n_records * sizeof(record));
	char	   *p = message;
	Aggregate	aggregate;
	bool		accepted;

	for (; n_keys > 0; n_keys--, p += sizeof(key))
		memcpy(p, key, sizeof(key));
	for (; n_hash_keys > 0; n_hash_keys--, p += sizeof(hash_key))
		memcpy(p, hash_key, sizeof(hash_key));
	for (; n_records > 0; n_records--, p += sizeof(record))
		memcpy(p, record, sizeof(record));
	accepted = aggregate_open_message(&aggregate, message, p - message);
	free(message);
	return accepted;
}

static void
test_bounds(void)
{
	int			most = AGGREGATE_MAX_ENTRIES;
	char	   *zeros = calloc(1, AGGREGATE_MAX_BYTES + 1);
	Aggregate	aggregate;

	check(accepts(1, 0, 1), "an aggregate of one record");
	check(accepts(most, most, most), "as many entries as there may be");
	check(!accepts(1, 0, most + 1), "too many records are accepted");
	check(!accepts(most + 1, 0, 1), "too many partition keys are accepted");
	check(!accepts(1, most + 1, 1), "too many hash keys are accepted");
	check(!aggregate_open_message(&aggregate, zeros, AGGREGATE_MAX_BYTES + 1),
		  "too long a message is accepted");
	free(zeros);
}

void
test_aggregate(void)
{
	test_md5(md5_digest);
	test_md5(md5_plain);
	test_bounds();
}
