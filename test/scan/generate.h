/*
 * generate.h
 *	  Documents made by a fixed generator, and damaged.
 */
#ifndef TRACKING_TEST_SCAN_GENERATE_H
#define TRACKING_TEST_SCAN_GENERATE_H

#include <stdbool.h>
#include <stddef.h>

#define DOCUMENT_MAX 4096

typedef struct Document
{
	char		text[DOCUMENT_MAX];
	size_t		len;
} Document;

/* A number below n; the same ones in every run. */
extern unsigned generate_pick(unsigned n);

/* Add any value to the document; what does not fit is left out. */
extern void generate_value(Document *doc);

/* Damage a document, mostly so little that it is nearly right. */
extern void generate_damage(Document *doc);

#endif							/* TRACKING_TEST_SCAN_GENERATE_H */
