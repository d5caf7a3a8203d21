/*
 * md5.c
 *	  MD5 by OpenSSL, unless that refuses it.
 */
#include <stdbool.h>

#include <openssl/evp.h>

#include "base/md5.h"

/*
 * Compute the digest by OpenSSL; false if that refuses, now and later.  We
 * keep the context, as looking up the algorithm takes longer than hashing a
 * short text.
 */
static bool
openssl_digest(const char *data, size_t len, uint8_t digest[MD5_BYTES])
{
	static EVP_MD_CTX *ctx = NULL;
	static bool is_refused = false;
	const EVP_MD *type = NULL;	/* keep the context's */

	if (is_refused)
		return false;
	if (ctx == NULL)
	{
		ctx = EVP_MD_CTX_new();
		type = EVP_md5();
	}
	if (ctx != NULL && EVP_DigestInit_ex(ctx, type, NULL) &&
		EVP_DigestUpdate(ctx, data, len) &&
		EVP_DigestFinal_ex(ctx, digest, NULL))
		return true;
	EVP_MD_CTX_free(ctx);
	ctx = NULL;
	is_refused = true;
	return false;
}

void
md5_digest(const char *data, size_t len, uint8_t digest[MD5_BYTES])
{
	if (!openssl_digest(data, len, digest))
		md5_plain(data, len, digest);
}
