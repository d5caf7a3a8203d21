/*
 * sigv4.c
 *	  AWS Signature Version 4 in headers, as three pure stages.
 *
 * Presigned URLs are not made.
 */
#include "postgres.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "aws/sigv4.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define SHA256_BYTES 32
#define SHA256_BLOCK 64

/* A name=value of the query, both as sent */
typedef struct QueryPair
{
	const char *name;
	int			name_bytes;
	const char *value;
	int			value_bytes;
} QueryPair;

/* ----------------------------------------------------------------
 * Hashes
 * ---------------------------------------------------------------- */

static void
openssl_failed(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_ERROR),
			 errmsg("could not compute a SHA-256 hash")));
}

static void
append_hex(StringInfo out, const unsigned char *bytes, int n_bytes)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < n_bytes; i++)
	{
		appendStringInfoChar(out, digits[bytes[i] >> 4]);
		appendStringInfoChar(out, digits[bytes[i] & 15]);
	}
}

/*
 * The hash of two pieces, concatenated; out may be one of them.  We keep the
 * context, as OpenSSL 3 looks up the algorithm for a new one, which costs more
 * than hashing a short text.
 */
static void
sha256(const void *first, size_t first_bytes,
	   const void *second, size_t second_bytes, unsigned char *out)
{
	static EVP_MD_CTX *ctx = NULL;
	const EVP_MD *type = NULL;	/* keep the context's */

	if (ctx == NULL)
	{
		ctx = EVP_MD_CTX_new();
		type = EVP_sha256();
	}
	if (ctx == NULL || !EVP_DigestInit_ex(ctx, type, NULL) ||
		!EVP_DigestUpdate(ctx, first, first_bytes) ||
		!EVP_DigestUpdate(ctx, second, second_bytes) ||
		!EVP_DigestFinal_ex(ctx, out, NULL))
	{
		EVP_MD_CTX_free(ctx);
		ctx = NULL;
		openssl_failed();
	}
}

static void
append_sha256_hex(StringInfo out, const char *data, size_t bytes)
{
	unsigned char hash[SHA256_BYTES];

	sha256(data, bytes, NULL, 0, hash);
	append_hex(out, hash, SHA256_BYTES);
}

/* RFC 2104.  out may be the key itself. */
static void
hmac_sha256(const unsigned char *key, size_t key_bytes, const char *text,
			unsigned char *out)
{
	unsigned char pad[SHA256_BLOCK] = {0};

	if (key_bytes > SHA256_BLOCK)
		sha256(key, key_bytes, NULL, 0, pad);
	else
		memcpy(pad, key, key_bytes);
	for (int i = 0; i < SHA256_BLOCK; i++)
		pad[i] ^= 0x36;
	sha256(pad, SHA256_BLOCK, text, strlen(text), out);
	for (int i = 0; i < SHA256_BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	sha256(pad, SHA256_BLOCK, out, SHA256_BYTES, out);
	OPENSSL_cleanse(pad, SHA256_BLOCK);
}

/* ----------------------------------------------------------------
 * Stage 1: the canonical request
 * ---------------------------------------------------------------- */

static bool
is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		(c >= '0' && c <= '9') || strchr("-._~", c) != NULL;
}

void
sigv4_append_encoded(StringInfo out, const char *text, size_t bytes,
					 const char *keep)
{
	for (size_t i = 0; i < bytes; i++)
	{
		if (is_unreserved(text[i]) || strchr(keep, text[i]) != NULL)
			appendStringInfoChar(out, text[i]);
		else
			appendStringInfo(out, "%%%02X", (unsigned char) text[i]);
	}
}

/*
 * Append the path without dot segments and empty segments; a slash at the end
 * is kept.  It is encoded once more, though it is encoded already: that is the
 * rule for all services but S3.
 */
static void
append_normalized_path(StringInfo out, const char *path)
{
	int			base = out->len;
	const char *segment = path;

	while (*segment != '\0')
	{
		size_t		bytes = strcspn(segment, "/");

		if (bytes == 2 && memcmp(segment, "..", 2) == 0)
		{
			/* drop the last segment, and the slash before it */
			while (out->len > base && out->data[--out->len] != '/')
				;
			out->data[out->len] = '\0';
		}
		else if (bytes > 0 && !(bytes == 1 && *segment == '.'))
		{
			appendStringInfoChar(out, '/');
			sigv4_append_encoded(out, segment, bytes, "");
		}
		segment += bytes;
		segment += strspn(segment, "/");
	}

	if (out->len == base || path[strlen(path) - 1] == '/')
		appendStringInfoChar(out, '/');
}

static int
compare_pieces(const char *a, int a_bytes, const char *b, int b_bytes)
{
	int			order = memcmp(a, b, Min(a_bytes, b_bytes));

	return order != 0 ? order : a_bytes - b_bytes;
}

static int
compare_pairs(const void *a, const void *b)
{
	const QueryPair *x = a;
	const QueryPair *y = b;
	int			order = compare_pieces(x->name, x->name_bytes,
									   y->name, y->name_bytes);

	return order != 0 ? order : compare_pieces(x->value, x->value_bytes,
											   y->value, y->value_bytes);
}

/*
 * Append the query, sorted by name, then value; a name without a value gets a
 * "=".
 */
static void
append_canonical_query(StringInfo out, const char *query)
{
	QueryPair  *pairs = palloc((strlen(query) + 1) * sizeof(QueryPair));
	int			n = 0;
	const char *piece = query;
	bool		more = *query != '\0';

	while (more)
	{
		int			bytes = strcspn(piece, "&");
		const char *equals = memchr(piece, '=', bytes);
		QueryPair  *pair = &pairs[n++];

		pair->name = piece;
		pair->name_bytes = equals ? equals - piece : bytes;
		pair->value = equals ? equals + 1 : piece + bytes;
		pair->value_bytes = piece + bytes - pair->value;

		more = piece[bytes] == '&';
		piece += bytes + 1;
	}

	qsort(pairs, n, sizeof(QueryPair), compare_pairs);
	for (int i = 0; i < n; i++)
		appendStringInfo(out, "%s%.*s=%.*s", i > 0 ? "&" : "",
						 pairs[i].name_bytes, pairs[i].name,
						 pairs[i].value_bytes, pairs[i].value);
	pfree(pairs);
}

static char *
lower_case(const char *name)
{
	char	   *lower = pstrdup(name);

	for (char *c = lower; *c != '\0'; c++)
		*c = pg_ascii_tolower((unsigned char) *c);
	return lower;
}

static int
compare_headers(const void *a, const void *b)
{
	return strcmp(((const Sigv4Header *) a)->name,
				  ((const Sigv4Header *) b)->name);
}

/* All headers to be signed, names in lower case, sorted. */
static Sigv4Header *
collect_headers(const Sigv4 *sign, const AwsCredentials *cred, int *n)
{
	Sigv4Header *headers = palloc((sign->n_headers + 3) * sizeof(Sigv4Header));

	for (*n = 0; *n < sign->n_headers; (*n)++)
	{
		headers[*n].name = lower_case(sign->headers[*n].name);
		headers[*n].value = sign->headers[*n].value;
	}
	headers[*n].name = "x-amz-date";
	headers[(*n)++].value = sign->amz_date;
	if (cred->session_token != NULL)
	{
		headers[*n].name = "x-amz-security-token";
		headers[(*n)++].value = cred->session_token;
	}
	if (sign->s3_rules)
	{
		headers[*n].name = "x-amz-content-sha256";
		headers[(*n)++].value = sign->body_sha256;
	}

	qsort(headers, *n, sizeof(Sigv4Header), compare_headers);
	return headers;
}

/* Append value, trimmed, with each run of white space as one space. */
static void
append_trimmed(StringInfo out, const char *value)
{
	const char *space = " \t\r\n\v\f";

	value += strspn(value, space);
	while (*value != '\0')
	{
		size_t		bytes = strcspn(value, space);

		appendBinaryStringInfo(out, value, bytes);
		value += bytes;
		value += strspn(value, space);
		if (*value != '\0')
			appendStringInfoChar(out, ' ');
	}
}

void
sigv4_canonical_request(Sigv4 *sign, const AwsCredentials *cred)
{
	StringInfoData request;
	StringInfoData names;
	StringInfoData hash;
	Sigv4Header *headers;
	int			n_headers;
	struct tm	utc;

	initStringInfo(&hash);
	append_sha256_hex(&hash, sign->body, sign->body_bytes);
	strlcpy(sign->body_sha256, hash.data, sizeof(sign->body_sha256));
	strftime(sign->amz_date, sizeof(sign->amz_date), "%Y%m%dT%H%M%SZ",
			 gmtime_r(&sign->now, &utc));
	headers = collect_headers(sign, cred, &n_headers);

	initStringInfo(&request);
	initStringInfo(&names);
	appendStringInfo(&request, "%s\n", sign->method);
	if (sign->s3_rules)
		appendStringInfoString(&request, sign->path);
	else
		append_normalized_path(&request, sign->path);
	appendStringInfoChar(&request, '\n');
	append_canonical_query(&request, sign->query);
	appendStringInfoChar(&request, '\n');

	for (int i = 0; i < n_headers; i++)
	{
		appendStringInfo(&request, "%s:", headers[i].name);
		append_trimmed(&request, headers[i].value);
		appendStringInfoChar(&request, '\n');
		appendStringInfo(&names, "%s%s", i > 0 ? ";" : "", headers[i].name);
	}
	appendStringInfo(&request, "\n%s\n%s", names.data, sign->body_sha256);

	sign->signed_headers = names.data;
	sign->canonical_request = request.data;
}

/* ----------------------------------------------------------------
 * Stages 2 and 3
 * ---------------------------------------------------------------- */

/* Append the scope, like 20150830/us-east-1/kinesis/aws4_request. */
static void
append_scope(StringInfo out, const Sigv4 *sign)
{
	appendStringInfo(out, "%.8s/%s/%s/aws4_request",
					 sign->amz_date, sign->region, sign->service);
}

void
sigv4_string_to_sign(Sigv4 *sign)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, ALGORITHM "\n%s\n", sign->amz_date);
	append_scope(&text, sign);
	appendStringInfoChar(&text, '\n');
	append_sha256_hex(&text, sign->canonical_request,
					  strlen(sign->canonical_request));
	sign->string_to_sign = text.data;
}

/* Derive the signing key, unless sign->key is of this day and access key. */
static void
derive_key(const Sigv4 *sign, const AwsCredentials *cred)
{
	unsigned char *key = sign->key->key;
	char		date[9];
	char	   *secret;

	strlcpy(date, sign->amz_date, sizeof(date));
	if (strcmp(sign->key->date, date) == 0 &&
		strcmp(sign->key->access_key_id, cred->access_key_id) == 0)
		return;
	secret = psprintf("AWS4%s", cred->secret_access_key);
	sign->key->date[0] = '\0';
	hmac_sha256((unsigned char *) secret, strlen(secret), date, key);
	hmac_sha256(key, SHA256_BYTES, sign->region, key);
	hmac_sha256(key, SHA256_BYTES, sign->service, key);
	hmac_sha256(key, SHA256_BYTES, "aws4_request", key);

	strlcpy(sign->key->date, date, sizeof(date));
	strlcpy(sign->key->access_key_id, cred->access_key_id,
			sizeof(sign->key->access_key_id));
	OPENSSL_cleanse(secret, strlen(secret));
	pfree(secret);
}

void
sigv4_authorization(Sigv4 *sign, const AwsCredentials *cred)
{
	unsigned char hash[SHA256_BYTES];
	StringInfoData text;

	derive_key(sign, cred);
	hmac_sha256(sign->key->key, SHA256_BYTES, sign->string_to_sign, hash);

	initStringInfo(&text);
	append_hex(&text, hash, SHA256_BYTES);
	strlcpy(sign->signature, text.data, sizeof(sign->signature));

	resetStringInfo(&text);
	appendStringInfo(&text, ALGORITHM " Credential=%s/", cred->access_key_id);
	append_scope(&text, sign);
	appendStringInfo(&text, ", SignedHeaders=%s, Signature=%s",
					 sign->signed_headers, sign->signature);
	sign->authorization = text.data;
}

void
sigv4_sign(Sigv4 *sign, const AwsCredentials *cred)
{
	sigv4_canonical_request(sign, cred);
	sigv4_string_to_sign(sign);
	sigv4_authorization(sign, cred);
}
