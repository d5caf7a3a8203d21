/*
 * credentials_keys.h
 *	  Keys as a user mapping has them, which never change.
 */
#ifndef TRACKING_CREDENTIALS_CREDENTIALS_KEYS_H
#define TRACKING_CREDENTIALS_CREDENTIALS_KEYS_H

#include "postgres.h"

#include "aws/credentials.h"

/* A provider of these keys, with copies of them, in cxt. */
extern AwsCredentialProvider *credentials_keys_open(MemoryContext cxt,
													const AwsCredentials *keys);

#endif							/* TRACKING_CREDENTIALS_CREDENTIALS_KEYS_H */
