/*
 * aws_document.h
 *	  What the document in a refusing answer says, word for word.
 */
#ifndef TRACKING_AWS_AWS_DOCUMENT_H
#define TRACKING_AWS_AWS_DOCUMENT_H

#include "postgres.h"

/* All is foreign text, as it came.  What the document does not say is NULL. */
typedef struct AwsDocument
{
	const char *code;
	const char *message;
	const char *request_id;
	const char *region;			/* where S3 says the bucket is */
} AwsDocument;

/* Read a body, JSON or XML or anything else; NUL-terminated.  Texts are
 * palloc'd. */
extern void aws_document_read(const char *body, size_t bytes,
							  AwsDocument *document);

/* Is it an error document of S3's?  Its status need not be an error's. */
extern bool aws_document_is_error(const char *body, size_t bytes);

/*
 * The bare code of an error type, which may have a name space before it and a
 * URL behind it; palloc'd.
 */
extern const char *aws_document_code(const char *type);

#endif							/* TRACKING_AWS_AWS_DOCUMENT_H */
