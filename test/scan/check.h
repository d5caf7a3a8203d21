/*
 * check.h
 *	  What the tests of the scanner share.
 */
#ifndef TRACKING_TEST_SCAN_CHECK_H
#define TRACKING_TEST_SCAN_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "json/json_scan.h"

/* Count a claim; one that does not hold is printed. */
extern void check(bool holds, const char *format,...)
			__attribute__((format(printf, 2, 3)));

/*
 * What the scanner thinks of a document, which it is given in memory of just
 * that size, so that reading past its end is noticed.
 */
typedef struct Verdict
{
	JsonScanError error;		/* JSON_SCAN_OK: accepted */
	size_t		offset;
} Verdict;

/*
 * Token by token and as one value: check() claims that both ways agree, and
 * that slices lie inside the document.
 */
extern Verdict scan_document(const char *text, size_t len);

/* The bytes as they can be printed; one static buffer. */
extern const char *printable(const char *text, size_t len);

extern void test_accept(void);
extern void test_token(void);
extern void test_unescape(void);
extern void test_base64(void);
extern void test_jansson(void);
extern void test_shape(void);
extern void test_aggregate(void);

#endif							/* TRACKING_TEST_SCAN_CHECK_H */
