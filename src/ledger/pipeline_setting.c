/*
 * pipeline_setting.c
 *	  The settings of a pipeline, as a table of descriptions.
 */
#include "postgres.h"

#include "base/compat.h"
#include "catalog/pg_type.h"
#include "ledger/pipeline_setting.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* members of a PipelineSetting, behind its name and kind */
#define FIELD(field) .offset = offsetof(Pipeline, field)
#define FIXED .fixed = true
#define NULLABLE .nullable = true
#define EMPTY_IS_NULL .empty_is_null = true
#define RANGE(least, most, after) .min = (least), .max = (most), .unit = (after)
#define NULL_IS(number) .null_is = (number)
#define CHOICES(first, second, advice) .choices = {first, second}, .hint = (advice)

/*
 * Defaults are in the signature of tracking.create_pipeline(), where users
 * look for them.  search_path, start_position and store_table are not
 * arguments: the functions that create and alter a pipeline determine them.
 */
static const PipelineSetting settings[] = {
	{"source", SETTING_REGCLASS, FIELD(source), FIXED},
	{"source_key", SETTING_TEXT, FIELD(source_key), FIXED, NULLABLE},
	{"target", SETTING_REGCLASS, FIELD(target), NULLABLE},
	{"command", SETTING_TEXT, FIELD(command), NULLABLE},
	{"search_path", SETTING_TEXT, FIELD(search_path)},
	{"start_position", SETTING_POSITION, FIELD(start), FIXED},
	{"batch_rows", SETTING_INT4, FIELD(batch_rows), RANGE(1, 1000000, " records")},
	{"batch_bytes", SETTING_INT8, FIELD(batch_bytes), RANGE(65536, 1 << 30, " bytes")},
	{"max_latency", SETTING_INTERVAL, FIELD(max_latency_ms), RANGE(200, 3600000, " milliseconds")},
	{"workers", SETTING_INT4, FIELD(workers), RANGE(1, PIPELINE_MAX_WORKERS, " workers")},
	{"on_error", SETTING_CHOICE, FIELD(stop_on_error), CHOICES("dead_letter", "stop", "Use \"dead_letter\" to keep a record that cannot be applied and go on, or \"stop\".")},
	{"max_errors", SETTING_INT4, FIELD(max_errors), RANGE(-1, PG_INT32_MAX, " records; -1 sets no bound")},
	{"max_error_ratio", SETTING_FLOAT8, FIELD(max_error_ratio), NULLABLE, RANGE(0, 1, ", a share of the records; 1 sets no bound"), NULL_IS(1)},
	{"on_gap", SETTING_CHOICE, FIELD(stop_on_gap), CHOICES("record", "stop", "Use \"record\" to note what the stream has dropped in tracking.gap and go on, or \"stop\".")},
	{"pause_between", SETTING_TEXT, FIELD(pause_between), NULLABLE, EMPTY_IS_NULL},
	{"enabled", SETTING_BOOL, FIELD(enabled), FIXED},
	{"store_table", SETTING_TEXT, FIELD(store_table), FIXED, NULLABLE},
};

int
pipeline_setting_count(void)
{
	return lengthof(settings);
}

const PipelineSetting *
pipeline_setting_get(int setting)
{
	return &settings[setting];
}

int
pipeline_setting_find(const char *name)
{
	for (int i = 0; i < (int) lengthof(settings); i++)
	{
		if (strcmp(settings[i].name, name) == 0)
			return i;
	}
	return -1;
}

int
pipeline_setting_at(size_t offset)
{
	for (int i = 0; i < (int) lengthof(settings); i++)
	{
		if (settings[i].offset == offset)
			return i;
	}
	elog(ERROR, "no setting of pipelines is at offset %zu", offset);
}

Oid
pipeline_setting_type(int setting)
{
	switch (settings[setting].kind)
	{
		case SETTING_BOOL:
			return BOOLOID;
		case SETTING_INT4:
			return INT4OID;
		case SETTING_INT8:
			return INT8OID;
		case SETTING_FLOAT8:
			return FLOAT8OID;
		case SETTING_INTERVAL:
			return INTERVALOID;
		case SETTING_REGCLASS:
			return REGCLASSOID;
		case SETTING_TEXT:
		case SETTING_CHOICE:
		case SETTING_POSITION:
			break;
	}
	return TEXTOID;
}

/* ----------------------------------------------------------------
 * From a column or an argument
 * ---------------------------------------------------------------- */

static int64
interval_ms(const PipelineSetting *setting, const Interval *interval)
{
	if (interval->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s cannot be in months", setting->name)));
	return interval->day * INT64CONST(86400000) + interval->time / 1000;
}

static bool
is_second_choice(const PipelineSetting *setting, const char *value)
{
	if (strcmp(value, setting->choices[1]) == 0)
		return true;
	if (strcmp(value, setting->choices[0]) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for %s: \"%s\"", setting->name, value),
				 errhint("%s", setting->hint)));
	return false;
}

bool
pipeline_setting_is_nullable(int number)
{
	return settings[number].nullable;
}

static void
take_position(const Pipeline *pipeline, const char *text,
			  StreamPosition *position)
{
	if (!position_from_text(text, position))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("pipeline \"%s\" has no valid start position: \"%s\"",
						pipeline->name, text)));
}

static void
take_null(const PipelineSetting *setting, void *field)
{
	if (!setting->nullable)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", setting->name)));
	if (setting->kind == SETTING_TEXT)
		*(char **) field = NULL;
	else if (setting->kind == SETTING_REGCLASS)
		*(Oid *) field = InvalidOid;
	else if (setting->kind == SETTING_FLOAT8)
		*(double *) field = setting->null_is;
	else
		elog(ERROR, "null means nothing for %s", setting->name);
}

void
pipeline_setting_take(int number, Pipeline *pipeline, Datum value,
					  bool isnull)
{
	const PipelineSetting *setting = &settings[number];
	void	   *field = (char *) pipeline + setting->offset;

	if (isnull)
	{
		take_null(setting, field);
		return;
	}
	switch (setting->kind)
	{
		case SETTING_BOOL:
			*(bool *) field = DatumGetBool(value);
			break;
		case SETTING_INT4:
			*(int *) field = DatumGetInt32(value);
			break;
		case SETTING_INT8:
			*(int64 *) field = DatumGetInt64(value);
			break;
		case SETTING_FLOAT8:
			*(double *) field = DatumGetFloat8(value);
			break;
		case SETTING_INTERVAL:
			*(int64 *) field = interval_ms(setting, DatumGetIntervalP(value));
			break;
		case SETTING_TEXT:
			*(char **) field = TextDatumGetCString(value);
			break;
		case SETTING_CHOICE:
			*(bool *) field = is_second_choice(setting,
											   TextDatumGetCString(value));
			break;
		case SETTING_REGCLASS:
			*(Oid *) field = DatumGetObjectId(value);
			break;
		case SETTING_POSITION:
			take_position(pipeline, TextDatumGetCString(value), field);
			break;
	}
}

/* ----------------------------------------------------------------
 * To a column
 * ---------------------------------------------------------------- */

static Datum
interval_datum(int64 ms)
{
	Interval   *interval = palloc0(sizeof(Interval));

	interval->time = ms * 1000;
	return IntervalPGetDatum(interval);
}

static Datum
text_datum(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

Datum
pipeline_setting_value(int number, const Pipeline *pipeline, bool *isnull)
{
	const PipelineSetting *setting = &settings[number];
	const void *field = (const char *) pipeline + setting->offset;

	*isnull = false;
	switch (setting->kind)
	{
		case SETTING_BOOL:
			return BoolGetDatum(*(const bool *) field);
		case SETTING_INT4:
			return Int32GetDatum(*(const int *) field);
		case SETTING_INT8:
			return Int64GetDatum(*(const int64 *) field);
		case SETTING_FLOAT8:
			*isnull = setting->nullable &&
				*(const double *) field == setting->null_is;
			return Float8GetDatum(*(const double *) field);
		case SETTING_INTERVAL:
			return interval_datum(*(const int64 *) field);
		case SETTING_TEXT:
			return text_datum(*(char *const *) field, isnull);
		case SETTING_CHOICE:
			return CStringGetTextDatum(setting->choices[*(const bool *) field]);
		case SETTING_REGCLASS:
			*isnull = !OidIsValid(*(const Oid *) field);
			return ObjectIdGetDatum(*(const Oid *) field);
		case SETTING_POSITION:
			return CStringGetTextDatum(position_to_text(field));
	}
	pg_unreachable();
}

/* ----------------------------------------------------------------
 * Ranges
 * ---------------------------------------------------------------- */

/* Is the setting in its range?  True if its value is not a number. */
static bool
is_in_range(const PipelineSetting *setting, const Pipeline *pipeline)
{
	const void *field = (const char *) pipeline + setting->offset;
	double		number;

	switch (setting->kind)
	{
		case SETTING_INT4:
			number = *(const int *) field;
			break;
		case SETTING_INT8:
		case SETTING_INTERVAL:
			number = *(const int64 *) field;
			break;
		case SETTING_FLOAT8:
			number = *(const double *) field;
			break;
		default:
			return true;
	}
	/* false for NaN, too */
	return number >= setting->min && number <= setting->max;
}

void
pipeline_setting_check_ranges(const Pipeline *pipeline)
{
	for (int i = 0; i < (int) lengthof(settings); i++)
	{
		const PipelineSetting *setting = &settings[i];

		if (!is_in_range(setting, pipeline))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s is out of range", setting->name),
					 errhint("Use %.15g to %.15g%s.", setting->min,
							 setting->max, setting->unit)));
	}
}
