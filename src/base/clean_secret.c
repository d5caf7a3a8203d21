/*
 * clean_secret.c
 *	  Finding secrets, and pieces of them, in foreign text.
 *
 * We search several views of the text: as it is, unescaped, and unescaped
 * twice. In each we look for several forms of a secret: as it is, in base64,
 * in hex.
 */
#include "postgres.h"

#include "base/base64.h"
#include "base/clean_secret.h"
#include "base/hex.h"

/* Shorter secrets are not looked for */
#define SECRET_MIN 4

/* Bytes of a secret that count as a piece, and at the ends of a text */
#define PIECE_BYTES 8
#define END_MIN 4

/* How often a text is unescaped */
#define UNESCAPE_TIMES 2

/* Bits of the hash by which pieces of a text are found */
#define BUCKET_BITS 10

/*
 * A text as it is or unescaped: chars[i] stands for the bytes of the text from
 * from[i] up to before from[i + 1].
 */
typedef struct View
{
	char	   *chars;
	int		   *from;			/* n + 1 offsets into the text */
	int			n;				/* number of chars */
	int			heads[1 << BUCKET_BITS];	/* offset of the last piece with
											 * this hash; -1: none */
	int		   *others;			/* for each piece, the one before with the
								 * same hash; -1: none */
} View;

/* ----------------------------------------------------------------
 * Views
 * ---------------------------------------------------------------- */

static unsigned int
bucket_of(const char *piece)
{
	uint64		eight;

	memcpy(&eight, piece, PIECE_BYTES);
	return eight * UINT64CONST(0x9E3779B97F4A7C15) >> (64 - BUCKET_BITS);
}

static void
index_pieces(View *view)
{
	view->others = palloc((view->n + 1) * sizeof(int));
	memset(view->heads, -1, sizeof(view->heads));
	for (int i = 0; i + PIECE_BYTES <= view->n; i++)
	{
		unsigned int bucket = bucket_of(view->chars + i);

		view->others[i] = view->heads[bucket];
		view->heads[bucket] = i;
	}
}

static void
view_init(View *view, int n)
{
	view->chars = palloc(n + 1);
	view->from = palloc((n + 1) * sizeof(int));
	view->n = 0;
}

static void
view_text(View *view, const char *text, int bytes)
{
	view_init(view, bytes);
	memcpy(view->chars, text, bytes);
	for (int i = 0; i <= bytes; i++)
		view->from[i] = i;
	view->n = bytes;
}

/*
 * The ASCII character whose code is the n_digits hexadecimal digits at p; -1
 * if there is none.
 */
static int
hex_char(const char *p, const char *end, int n_digits)
{
	int			code = 0;

	if (end - p < n_digits)
		return -1;
	for (int i = 0; i < n_digits; i++)
	{
		if (hex_value(p[i]) < 0)
			return -1;
		code = code << 4 | hex_value(p[i]);
	}
	return code > 0 && code < 0x80 ? code : -1;
}

/*
 * The ASCII character that the XML reference at p stands for; -1 if there is
 * none.
 */
static int
reference_char(const char *p, const char *end, int *length)
{
	static const struct
	{
		const char *text;
		char		character;
	}			references[] = {
		{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'},
		{"&apos;", '\''}
	};
	char		number[8];
	const char *stop = memchr(p, ';', Min(end - p, (int) sizeof(number)));
	long		code;
	char	   *after;

	if (stop == NULL)
		return -1;
	*length = stop + 1 - p;
	for (size_t i = 0; i < lengthof(references); i++)
	{
		if (strncmp(references[i].text, p, *length) == 0)
			return references[i].character;
	}
	if (p[1] != '#')
		return -1;
	memcpy(number, p + 2, *length - 3);
	number[*length - 3] = '\0';
	code = number[0] == 'x' || number[0] == 'X' ?
		strtol(number + 1, &after, 16) : strtol(number, &after, 10);
	return *after == '\0' && code > 0 && code < 0x80 ? (int) code : -1;
}

/* The ASCII character that an escape at p stands for; -1 if there is none. */
static int
escape_char(const char *p, const char *end, int *length)
{
	static const char letters[] = "\"\\/'nrt";
	static const char meanings[] = "\"\\/'\n\r\t";
	const char *letter;

	if (*p == '&')
		return reference_char(p, end, length);
	*length = 3;
	if (*p == '%')
		return hex_char(p + 1, end, 2);
	if (*p != '\\' || end - p < 2)
		return -1;
	*length = 6;
	if (p[1] == 'u')
		return hex_char(p + 2, end, 4);
	*length = 4;
	if (p[1] == 'x')
		return hex_char(p + 2, end, 2);
	*length = 2;
	letter = p[1] != '\0' ? strchr(letters, p[1]) : NULL;
	return letter != NULL ? meanings[letter - letters] : -1;
}

static void
view_unescaped(View *view, const View *of)
{
	const char *end = of->chars + of->n;
	int			length;

	view_init(view, of->n);
	for (int i = 0; i < of->n; i += length)
	{
		int			character = escape_char(of->chars + i, end, &length);

		if (character < 0)
			length = 1;
		view->from[view->n] = of->from[i];
		view->chars[view->n++] = character < 0 ? of->chars[i] : character;
	}
	view->from[view->n] = of->from[of->n];
}

static void
view_free(View *view)
{
	pfree(view->chars);
	pfree(view->from);
	pfree(view->others);
}

/* ----------------------------------------------------------------
 * Finding
 * ---------------------------------------------------------------- */

/* Mark the bytes of the text for n characters of a view. */
static void
mark(const View *view, int first, int n, bool *cut)
{
	memset(cut + view->from[first], true,
		   view->from[first + n] - view->from[first]);
}

static void
mark_pieces(const View *view, const char *secret, int bytes, bool *cut)
{
	for (int i = 0; i + PIECE_BYTES <= bytes; i++)
	{
		for (int at = view->heads[bucket_of(secret + i)]; at >= 0;
			 at = view->others[at])
		{
			if (memcmp(view->chars + at, secret + i, PIECE_BYTES) == 0)
				mark(view, at, PIECE_BYTES, cut);
		}
	}
}

/* Mark the whole secret, which is shorter than a piece. */
static void
mark_whole(const View *view, const char *secret, int bytes, bool *cut)
{
	for (int at = 0; at + bytes <= view->n; at++)
	{
		if (memcmp(view->chars + at, secret, bytes) == 0)
			mark(view, at, bytes, cut);
	}
}

/* Mark parts of a secret at the ends of a text, which may have cut it off. */
static void
mark_ends(const View *view, const char *secret, int bytes, bool *cut)
{
	for (int n = Min(Min(bytes, PIECE_BYTES) - 1, view->n); n >= END_MIN; n--)
	{
		int			last = view->n - n;

		if (memcmp(view->chars, secret + bytes - n, n) == 0)
			mark(view, 0, n, cut);
		if (memcmp(view->chars + last, secret, n) == 0)
			mark(view, last, n, cut);
	}
}

static void
mark_form(const View *views, const char *secret, int bytes, bool *cut)
{
	for (int i = 0; i <= UNESCAPE_TIMES; i++)
	{
		if (bytes < PIECE_BYTES)
			mark_whole(&views[i], secret, bytes, cut);
		else
			mark_pieces(&views[i], secret, bytes, cut);
		mark_ends(&views[i], secret, bytes, cut);
	}
}

/*
 * Mark the secret in base64, encoded after so many other bytes: we look for
 * the characters that depend on the secret only.
 */
static void
mark_base64(const View *views, const char *secret, int bytes, int before,
			bool *cut)
{
	char	   *in = palloc0(before + bytes);
	char	   *out = palloc(BASE64_ENCODED_LEN(before + bytes));
	int			first = (before * 8 + 5) / 6;

	memcpy(in + before, secret, bytes);
	base64_encode(in, before + bytes, out);
	mark_form(views, out + first, (before + bytes) * 8 / 6 - first, cut);
	pfree(in);
	pfree(out);
}

static void
mark_hex(const View *views, const char *secret, int bytes, const char *digits,
		 bool *cut)
{
	char	   *out = palloc(2 * bytes);

	for (int i = 0; i < bytes; i++)
	{
		out[2 * i] = digits[(unsigned char) secret[i] >> 4];
		out[2 * i + 1] = digits[(unsigned char) secret[i] & 0xF];
	}
	mark_form(views, out, 2 * bytes, cut);
	pfree(out);
}

static void
mark_secret(const View *views, const char *secret, bool *cut)
{
	int			bytes = strlen(secret);

	if (bytes < SECRET_MIN)
		return;
	mark_form(views, secret, bytes, cut);
	for (int before = 0; before < 3; before++)
		mark_base64(views, secret, bytes, before, cut);
	mark_hex(views, secret, bytes, "0123456789abcdef", cut);
	mark_hex(views, secret, bytes, "0123456789ABCDEF", cut);
}

void
clean_secret_mark(const char *text, size_t bytes, const char *const *secrets,
				  bool *cut)
{
	View	   *views;

	if (secrets == NULL || secrets[0] == NULL || bytes == 0)
		return;
	views = palloc((UNESCAPE_TIMES + 1) * sizeof(View));
	view_text(&views[0], text, bytes);
	for (int i = 1; i <= UNESCAPE_TIMES; i++)
		view_unescaped(&views[i], &views[i - 1]);
	for (int i = 0; i <= UNESCAPE_TIMES; i++)
		index_pieces(&views[i]);

	for (; *secrets != NULL; secrets++)
		mark_secret(views, *secrets, cut);

	for (int i = 0; i <= UNESCAPE_TIMES; i++)
		view_free(&views[i]);
	pfree(views);
}
