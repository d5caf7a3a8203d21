/*
 * text_settings.c
 *	  The settings under which a value's text is the same in every session.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/tupdesc.h"
#include "base/text_settings.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/bytea.h"
#include "utils/datetime.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

/* ----------------------------------------------------------------
 * The settings that a type depends on
 * ---------------------------------------------------------------- */

/* The settings of a built-in type that is made of no other. */
static int
scalar_settings(Oid type)
{
	switch (type)
	{
		case BOOLOID:
		case CHAROID:
		case NAMEOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case OIDOID:
		case NUMERICOID:
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case JSONOID:
		case JSONBOID:
		case UUIDOID:
		case XMLOID:
		case BITOID:
		case VARBITOID:
		case INETOID:
		case CIDROID:
			return 0;
		case DATEOID:
		case TIMEOID:
		case TIMETZOID:
		case TIMESTAMPOID:
			return TEXT_DATES;
		case TIMESTAMPTZOID:
			return TEXT_DATES | TEXT_ZONE;
		case INTERVALOID:
			return TEXT_INTERVALS;
		case FLOAT4OID:
		case FLOAT8OID:
			return TEXT_FLOATS;
		case BYTEAOID:
			return TEXT_BYTES;
		default:
			return TEXT_ALL;
	}
}

/*
 * Does to_json() use a cast for this type?  The cast is user code, which must
 * find its objects by the session's search_path.
 */
static bool
has_json_cast(Oid type)
{
	Oid			function;

	return type >= FirstNormalObjectId &&
		find_coercion_pathway(JSONOID, type, COERCION_EXPLICIT,
							  &function) == COERCION_PATH_FUNC;
}

static int	settings_of(Oid type, bool json);

static int
composite_settings(Oid type, bool json)
{
	TupleDesc	tupdesc = lookup_rowtype_tupdesc(type, -1);
	int			settings = 0;

	for (int i = 0; i < tupdesc->natts; i++)
	{
		if (!TupleDescAttr(tupdesc, i)->attisdropped)
			settings |= settings_of(TupleDescAttr(tupdesc, i)->atttypid, json);
	}
	ReleaseTupleDesc(tupdesc);
	return settings;
}

static int
settings_of(Oid type, bool json)
{
	Oid			base = getBaseType(type);
	Oid			element = get_element_type(base);

	check_stack_depth();
	if (OidIsValid(element))
		return settings_of(element, json);
	switch (get_typtype(base))
	{
		case TYPTYPE_COMPOSITE:
			return composite_settings(base, json);
		case TYPTYPE_ENUM:
			return json && has_json_cast(base) ? TEXT_ALL & ~TEXT_NAMES : 0;
		case TYPTYPE_RANGE:
			return json && has_json_cast(base) ? TEXT_ALL & ~TEXT_NAMES :
				settings_of(get_range_subtype(base), false);
		case TYPTYPE_MULTIRANGE:
			return settings_of(get_multirange_range(base), false);
		default:
			return json && has_json_cast(base) ? TEXT_ALL & ~TEXT_NAMES :
				scalar_settings(base);
	}
}

int
text_settings_of(Oid type)
{
	return settings_of(type, false);
}

int
text_settings_of_json(Oid type)
{
	return settings_of(type, true);
}

/* ----------------------------------------------------------------
 * Setting them
 * ---------------------------------------------------------------- */

/* Does the setting have our value already? */

static bool
is_set(TextSetting setting)
{
	switch (setting)
	{
		case TEXT_DATES:
			return DateStyle == USE_ISO_DATES;
		case TEXT_ZONE:
			return strcmp(pg_get_timezone_name(session_timezone), "UTC") == 0;
		case TEXT_INTERVALS:
			return IntervalStyle == INTSTYLE_POSTGRES;
		case TEXT_FLOATS:
			return extra_float_digits >= 1;
		case TEXT_BYTES:
			return bytea_output == BYTEA_OUTPUT_HEX;
		case TEXT_MONEY:
			return strcmp(GetConfigOption("lc_monetary", false, false),
						  "C") == 0;
		case TEXT_PATH:
			return strcmp(namespace_search_path, "pg_catalog") == 0;
		case TEXT_QUOTES:
			return !quote_all_identifiers;
	}
	pg_unreachable();
}

int
text_settings_begin(int settings)
{
	static const struct
	{
		TextSetting setting;
		const char *name;
		const char *value;
	}			known[] = {
		{TEXT_DATES, "datestyle", "ISO"},
		{TEXT_ZONE, "timezone", "UTC"},
		{TEXT_INTERVALS, "intervalstyle", "postgres"},
		{TEXT_FLOATS, "extra_float_digits", "1"},
		{TEXT_BYTES, "bytea_output", "hex"},
		{TEXT_MONEY, "lc_monetary", "C"},
		{TEXT_PATH, "search_path", "pg_catalog"},
		{TEXT_QUOTES, "quote_all_identifiers", "off"}
	};
	int			level = 0;

	for (size_t i = 0; settings != 0 && i < lengthof(known); i++)
	{
		if ((settings & known[i].setting) == 0 || is_set(known[i].setting))
			continue;
		if (level == 0)
			level = NewGUCNestLevel();
		(void) set_config_option(known[i].name, known[i].value, PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
								 false);
	}
	return level;
}

void
text_settings_end(int level)
{
	if (level > 0)
		AtEOXact_GUC(true, level);
}

char *
text_of_timestamptz(TimestampTz value)
{
	char	   *text = palloc(MAXDATELEN + 1);
	struct pg_tm tm;
	fsec_t		fsec;

	if (TIMESTAMP_NOT_FINITE(value))
		EncodeSpecialTimestamp(value, text);
	else if (timestamp2tm(value, NULL, &tm, &fsec, NULL, NULL) == 0)
	{
		tm.tm_isdst = 0;		/* there is a zone */
		EncodeDateTime(&tm, fsec, true, 0, NULL, USE_ISO_DATES, text);
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return text;
}
