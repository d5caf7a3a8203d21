/*
 * aws_document.h
 *	  Reading the error document of an answer.
 */
#ifndef TRACKING_AWS_AWS_DOCUMENT_H
#define TRACKING_AWS_AWS_DOCUMENT_H

#include "postgres.h"

/*
 * The members of an error document: foreign texts, not cleaned yet.  NULL for
 * those that it does not have.
 */
typedef struct AwsDocument
{
	const char *code;
	const char *message;
	const char *request_id;
	const char *region;			/* of the bucket, as S3 tells */
} AwsDocument;

/*
 * Read a body, which is JSON, XML or anything else, and NUL-terminated.  Texts
 * are palloc'd.
 */
extern void aws_document_read(const char *body, size_t bytes,
							  AwsDocument *document);

/*
 * Is this an error document of S3?  It may come with the status of a success.
 */
extern bool aws_document_is_error(const char *body, size_t bytes);

/*
 * The code in an error type, without the name space before it and the URL
 * after it, if it has them; palloc'd.
 */
extern const char *aws_document_code(const char *type);

#endif							/* TRACKING_AWS_AWS_DOCUMENT_H */
