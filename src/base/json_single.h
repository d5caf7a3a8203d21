/*
 * json_single.h
 *	  Texts that can hold no second document.
 *
 * To tell that, a text need not be read: behind an object another document can
 * begin only where a brace or bracket that opens, or white space, follows a
 * closing brace (see json_scan_more()).  It knows nothing of PostgreSQL.
 */
#ifndef TRACKING_BASE_JSON_SINGLE_H
#define TRACKING_BASE_JSON_SINGLE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Does the text, which may be anything, begin an object behind which there is
 * no document?  False tells nothing.
 */
extern bool json_is_single(const char *text, size_t len);

#endif							/* TRACKING_BASE_JSON_SINGLE_H */
