/*
 * test_base64.c
 *	  base64: RFC 4648's examples, what is refused, every byte both ways.
 */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "check.h"

static const struct
{
	const char *plain;
	const char *base64;
}			examples[] = {
	{"", ""},
	{"f", "Zg=="},
	{"fo", "Zm8="},
	{"foo", "Zm9v"},
	{"foob", "Zm9vYg=="},
	{"fooba", "Zm9vYmE="},
	{"foobar", "Zm9vYmFy"},
	{"\xff\xff\xff", "////"},
	{"\xfb\xef\xbe", "++++"},
};

static const char *const refused[] = {
	"Z", "Zg", "Zg=", "Zm8", "Zm9vY", "Zm9vYg=", "Zg===", "====", "=", "Z===",
	"Zm=v", "Z=9v", "=m9v", "Zg==Zm9v", "Zm8=Zm9v", "Zm9v====",
	/* bits that padding leaves unused are set */
	"Zh==", "Zm9=", "Zv==", "Zm9vYh==",
	/* white space, other alphabets */
	"Zm9v\n", "Zm 9", " Zm9v   ", "Zm9\n", "-_-_", "Zm9vYmF\xff", "\x80m9v",
	"Zm9vYm!y", "Zm.vYmFy", "Z:9v",
};

static ssize_t
decode(const char *text, size_t len, char *out)
{
	char	   *copy = malloc(len);
	ssize_t		n;

	memcpy(copy, text, len);
	n = base64_decode(copy, len, out);
	free(copy);
	return n;
}

static void
test_examples(void)
{
	char		out[64];
	size_t		i;

	for (i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
	{
		const char *plain = examples[i].plain;
		const char *base64 = examples[i].base64;
		size_t		len = strlen(base64);

		check(decode(base64, len, out) == (ssize_t) strlen(plain) &&
			  memcmp(out, plain, strlen(plain)) == 0,
			  "base64 %s", base64);
		check(BASE64_ENCODED_LEN(strlen(plain)) == len,
			  "base64 length of %s", base64);
		base64_encode(plain, strlen(plain), out);
		check(memcmp(out, base64, len) == 0, "to base64 %s", base64);
	}
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		check(decode(refused[i], strlen(refused[i]), out) == -1,
			  "base64 accepted: %s",
			  printable(refused[i], strlen(refused[i])));
	check(decode("Zm9v\0AAA", 8, out) == -1, "base64 with a zero byte");
}

/* All lengths up to 300, to memory of just the size; then in place. */
static void
test_round_trip(void)
{
	size_t		len;
	size_t		i;

	for (len = 0; len < 300; len++)
	{
		size_t		encoded_len = BASE64_ENCODED_LEN(len);
		char	   *plain = malloc(len);
		char	   *base64 = malloc(encoded_len);
		char	   *out = malloc(BASE64_DECODED_MAX(encoded_len));

		for (i = 0; i < len; i++)
			plain[i] = (char) (i * 7 + len);
		base64_encode(plain, len, base64);
		check(base64_decode(base64, encoded_len, out) == (ssize_t) len &&
			  memcmp(out, plain, len) == 0, "round trip of %zu bytes", len);
		check(base64_decode(base64, encoded_len, base64) == (ssize_t) len &&
			  memcmp(base64, plain, len) == 0,
			  "round trip in place of %zu bytes", len);
		free(plain);
		free(base64);
		free(out);
	}
}

/*
 * A byte outside the alphabet is found wherever it stands, in what is decoded
 * one group at a time and in what is decoded by many.
 */
static void
test_bad_byte(void)
{
	char		text[92];
	char		out[BASE64_DECODED_MAX(sizeof(text))];
	int			last = sizeof(text) - 1;
	int			place;
	int			byte;

	for (place = 0; place <= last; place++)
	{
		for (byte = 0; byte < 256; byte++)
		{
			bool		good = byte != '\0' &&
				strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					   "0123456789+/", byte) != NULL;

			if (byte == '=' && place == last)
				continue;
			memset(text, 'A', sizeof(text));
			text[place] = (char) byte;
			check((decode(text, sizeof(text), out) == 69) == good,
				  "base64 with byte 0x%02x at %d", byte, place);
		}
	}
}

void
test_base64(void)
{
	test_examples();
	test_round_trip();
	test_bad_byte();
}
