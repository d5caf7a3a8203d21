/*
 * fuzz_text.c
 *	  libFuzzer target: text that came from outside, and secrets in it.
 *
 * The first line says how the secret stands in the text, a letter each, from
 * within: '6', '7' or '8' in base64, behind so many bytes less 6; 'h' or 'H' in
 * hex; '%', 'u', 'x', '#' or '&' behind escapes, of which two are looked
 * through.  The second line is the secret, the third how long the text may be,
 * the rest what stands around it, half before and half behind.
 */
#include "server.h"

#include "base/base64.h"
#include "base/clean_secret.h"
#include "base/clean_text.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

/* What is looked for is at least so long, a piece of it so long */
#define SECRET_MIN 4
#define PIECE_BYTES 8

#define ESCAPES 2

/* What clean_text() writes itself */
#define OURS "?*."

/* ----------------------------------------------------------------
 * A secret in a text
 * ---------------------------------------------------------------- */

static void
append_escaped(StringInfo out, char letter, char c)
{
	unsigned int code = (unsigned char) c;

	switch (letter)
	{
		case '%':
			appendStringInfo(out, "%%%02X", code);
			break;
		case 'u':
			appendStringInfo(out, "\\u%04x", code);
			break;
		case 'x':
			appendStringInfo(out, "\\x%02x", code);
			break;
		case '#':
			appendStringInfo(out, "&#%u;", code);
			break;
		default:
			appendStringInfo(out, "&#x%X;", code);
			break;
	}
}

static char *
escape(char letter, const char *text)
{
	StringInfoData out;

	initStringInfo(&out);
	for (; *text != '\0'; text++)
		append_escaped(&out, letter, *text);
	return out.data;
}

static char *
in_hex(const char *text, const char *format)
{
	StringInfoData out;

	initStringInfo(&out);
	for (; *text != '\0'; text++)
		appendStringInfo(&out, format, (unsigned char) *text);
	return out.data;
}

/* The characters that depend on nothing but the text. */
static char *
in_base64(const char *text, int before)
{
	int			bytes = before + (int) strlen(text);
	char	   *in = palloc0(bytes + 1);
	char	   *out = palloc0(BASE64_ENCODED_LEN(bytes) + 1);

	strcpy(in + before, text);
	base64_encode(in, bytes, out);
	out[bytes * 8 / 6] = '\0';
	return out + (before * 8 + 5) / 6;
}

static char *
encode(char *text, Input letters)
{
	int			n_escapes = 0;

	for (size_t i = 0; i < letters.len && n_escapes < ESCAPES; i++)
	{
		char		letter = letters.start[i];

		if (letter >= '6' && letter <= '8' && i == 0)
			text = in_base64(text, letter - '6');
		else if (letter == 'h' && i == 0)
			text = in_hex(text, "%02x");
		else if (letter == 'H' && i == 0)
			text = in_hex(text, "%02X");
		else if (letter != '\0' && strchr("%ux#&", letter) != NULL)
		{
			text = escape(letter, text);
			n_escapes++;
		}
	}
	return text;
}

/* A secret is printable, without blanks. */
static char *
make_secret(const Input *line)
{
	char	   *secret = palloc0(line->len + 1);

	for (size_t i = 0; i < line->len; i++)
		secret[i] = '!' + (unsigned char) line->start[i] % ('~' - '!' + 1);
	return secret;
}

/* ----------------------------------------------------------------
 * What is left
 * ---------------------------------------------------------------- */

/* None of all pieces of the secret, but those that our own words may make. */
static void
check_pieces(const char *shown, const char *secret)
{
	size_t		bytes = strlen(secret);
	size_t		n = Min(bytes, PIECE_BYTES);

	if (bytes < SECRET_MIN)
		return;
	for (size_t i = 0; i + n <= bytes; i++)
	{
		char	   *piece = pnstrdup(secret + i, n);

		require(strpbrk(piece, OURS) != NULL || strstr(shown, piece) == NULL);
		pfree(piece);
	}
}

static void
check_shown(const char *text, size_t size, size_t max_bytes,
			const char *const *secrets)
{
	char	   *shown = clean_text(text, size, max_bytes, PG_UTF8, secrets);

	require_text(shown);
	require(strlen(shown) <= max_bytes + strlen("..."));
	require(!clean_text_has_control(shown, '\0'));
	check_pieces(shown, secrets[0]);
}

/* All of the secret is marked, as it stands between what is around it. */
static void
check_marks(const StringInfo text, size_t start, size_t end,
			const char *const *secrets)
{
	bool	   *cut = palloc0(text->len + 1);

	clean_secret_mark(text->data, text->len, secrets, cut);
	for (size_t i = start; i < end; i++)
		require(cut[i]);
	require(!cut[text->len]);
}

/* Nothing is cut where there is nothing to hide. */
static void
check_no_secret(const char *data, size_t size)
{
	static const char *const none[] = {"", "abc", NULL};
	bool	   *cut = palloc0(size + 1);

	clean_secret_mark(data, size, none, cut);
	for (size_t i = 0; i < size; i++)
		require(!cut[i]);
}

static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
	{
		const unsigned char *c = (const unsigned char *) text;

		if (c[0] < ' ' || c[0] == 0x7f || (c[0] == 0xC2 && c[1] < 0xA0) ||
			strncmp(text, "\xE2\x80\xA8", 3) == 0 ||
			strncmp(text, "\xE2\x80\xA9", 3) == 0)
			return true;
	}
	return false;
}

static void
check_control(const char *text)
{
	size_t		bytes = strlen(text);
	char	   *valid = pnstrdup(input_text(text, bytes), bytes);

	require(clean_text_has_control(valid, '\0') == has_control(valid));
}

static void
fuzz(const char *data, size_t size)
{
	Input		rest = {data, size};
	Input		letters;
	Input		line;
	Input		bytes;
	StringInfoData text;
	const char *secrets[2] = {NULL};
	size_t		start;
	size_t		end;

	if (!input_cut(&rest, '\n', &letters) || !input_cut(&rest, '\n', &line) ||
		!input_cut(&rest, '\n', &bytes))
		return;
	secrets[0] = make_secret(&line);
	initStringInfo(&text);
	appendBinaryStringInfo(&text, rest.start, rest.len / 2);
	/* an escape may have begun there */
	appendStringInfoChar(&text, ' ');
	start = text.len;
	appendStringInfoString(&text, encode(unconstify(char *, secrets[0]), letters));
	end = text.len;
	appendBinaryStringInfo(&text, rest.start + rest.len / 2,
						   rest.len - rest.len / 2);
	if (line.len >= SECRET_MIN)
		check_marks(&text, start, end, secrets);
	check_shown(text.data, text.len, strtoul(input_string(&bytes), NULL, 10) % 5000,
				secrets);
	check_no_secret(rest.start, rest.len);
	check_control(text.data);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return server_input(fuzz, data, size);
}
