/*
 * credentials_keys.c
 *	  Keys as a user mapping has them, which never change.
 */
#include "postgres.h"

#include "credentials/credentials_keys.h"

typedef struct KeysProvider
{
	AwsCredentialProvider base;
	AwsCredentials keys;
} KeysProvider;

static AwsCredentialState
keys_get(AwsCredentialProvider *base, AwsCredentialAnswer *answer)
{
	answer->credentials = ((KeysProvider *) base)->keys;
	return AWS_CREDENTIALS_READY;
}

static AwsCredentialProvider *
keys_keep(AwsCredentialProvider *base, MemoryContext cxt)
{
	return credentials_keys_open(cxt, &((KeysProvider *) base)->keys);
}

static const AwsCredentialOps keys_ops = {
	.get = keys_get,
	.keep = keys_keep
};

static const char *
copy_text(MemoryContext cxt, const char *text)
{
	return text ? MemoryContextStrdup(cxt, text) : NULL;
}

AwsCredentialProvider *
credentials_keys_open(MemoryContext cxt, const AwsCredentials *keys)
{
	KeysProvider *provider = MemoryContextAllocZero(cxt, sizeof(KeysProvider));

	provider->base.ops = &keys_ops;
	provider->keys.access_key_id = copy_text(cxt, keys->access_key_id);
	provider->keys.secret_access_key = copy_text(cxt, keys->secret_access_key);
	provider->keys.session_token = copy_text(cxt, keys->session_token);
	return &provider->base;
}
