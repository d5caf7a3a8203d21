/*
 * text_settings.h
 *	  The settings under which a value's text is the same in every session.
 *
 * Output functions and to_json() depend on settings of the session.  We set
 * these to fixed values for the time of a conversion, and no longer, as user
 * code must not run under them.  Only one input function, that of money, needs
 * such a setting to read the text again.
 */
#ifndef TRACKING_BASE_TEXT_SETTINGS_H
#define TRACKING_BASE_TEXT_SETTINGS_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* The settings that the text of a value may depend on; bits of a set. */
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

/*
 * The settings that a type's output function, or to_json() of it, depends on.
 */
extern int	text_settings_of(Oid type);
extern int	text_settings_of_json(Oid type);

/*
 * Set these settings to our values, until text_settings_end() with the level
 * that was returned; an error sets them back, too.  Costs next to nothing if
 * they have these values already.
 */
extern int	text_settings_begin(int settings);
extern void text_settings_end(int level);

/* The text of a timestamptz by our values, without setting any; palloc'd. */
extern char *text_of_timestamptz(TimestampTz value);

#endif							/* TRACKING_BASE_TEXT_SETTINGS_H */
