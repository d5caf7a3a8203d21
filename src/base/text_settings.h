/*
 * text_settings.h
 *	  The settings under which a value's text is the same in every session.
 *
 * Output functions, and to_json(), look at settings of the session.  For the
 * time of a conversion, and no longer, as user code is not to run under them,
 * these are what they are for everybody.  Of input functions only that of
 * money needs such a setting to understand what is written so.
 */
#ifndef TRACKING_BASE_TEXT_SETTINGS_H
#define TRACKING_BASE_TEXT_SETTINGS_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* What the text of a value depends on: a set of bits. */
typedef enum TextSetting
{
	TEXT_DATES = 1 << 0,		/* DateStyle */
	TEXT_ZONE = 1 << 1,			/* TimeZone */
	TEXT_INTERVALS = 1 << 2,	/* IntervalStyle */
	TEXT_FLOATS = 1 << 3,		/* extra_float_digits */
	TEXT_BYTES = 1 << 4,		/* bytea_output */
	TEXT_MONEY = 1 << 5,		/* lc_monetary */
	TEXT_PATH = 1 << 6,			/* search_path */
	TEXT_QUOTES = 1 << 7		/* quote_all_identifiers */
} TextSetting;

#define TEXT_NAMES (TEXT_PATH | TEXT_QUOTES)
#define TEXT_ALL ((1 << 8) - 1)

/* Those of a type's output function, and of to_json() for it. */
extern int	text_settings_of(Oid type);
extern int	text_settings_of_json(Oid type);

/*
 * Set these, until text_settings_end(), which takes what this returned; an
 * error ends it, too.  It costs next to nothing if they are so already.
 */
extern int	text_settings_begin(int settings);
extern void text_settings_end(int level);

/* The text of a timestamptz under them, without setting any; palloc'd. */
extern char *text_of_timestamptz(TimestampTz value);

#endif							/* TRACKING_BASE_TEXT_SETTINGS_H */
