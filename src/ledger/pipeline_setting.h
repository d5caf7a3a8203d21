/*
 * pipeline_setting.h
 *	  The settings of a pipeline, as a table of descriptions.
 *
 * A setting is a column of tracking.pipeline and a field of Pipeline.  The
 * table in pipeline_setting.c has a line for each, by which create_pipeline()
 * and alter_pipeline() take their arguments, and rows are loaded and saved.
 * The SQL functions check whether settings are possible together.  A setting
 * is identified by its number in the table, from 0.
 */
#ifndef TRACKING_LEDGER_PIPELINE_SETTING_H
#define TRACKING_LEDGER_PIPELINE_SETTING_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"

/* The most workers that a pipeline can have, whichever role owns it. */
#define PIPELINE_MAX_WORKERS 64

/*
 * The SQL type of a setting's column and argument, and the C type of its field
 */
typedef enum PipelineSettingKind
{
	SETTING_BOOL,				/* bool */
	SETTING_INT4,				/* int */
	SETTING_INT8,				/* int64 */
	SETTING_FLOAT8,				/* double */
	SETTING_INTERVAL,			/* int64, milliseconds */
	SETTING_TEXT,				/* char *, NULL for null */
	SETTING_CHOICE,				/* text, one of two; bool, true: the second */
	SETTING_REGCLASS,			/* Oid, InvalidOid for null */
	SETTING_POSITION			/* text; StreamPosition */
} PipelineSettingKind;

typedef struct PipelineSetting
{
	const char *name;			/* of the column, and of the argument */
	PipelineSettingKind kind;
	size_t		offset;			/* of the field in Pipeline */
	bool		fixed;			/* alter_pipeline() cannot change it */
	bool		nullable;
	bool		empty_is_null;	/* alter_pipeline() takes '' for null, as null
								 * means "no change" there */
	double		min;			/* range of a number */
	double		max;
	double		null_is;		/* the number that null stands for */
	const char *unit;			/* text of the hint behind the range */
	const char *choices[2];
	const char *hint;			/* the hint that names the choices */
} PipelineSetting;

/* The number of settings, and the setting with a number. */
extern int	pipeline_setting_count(void);
extern const PipelineSetting *pipeline_setting_get(int setting);

/* The number of the setting with this name; -1 if there is none. */
extern int	pipeline_setting_find(const char *name);

/* The number of the setting that is this field of Pipeline. */
#define PIPELINE_SETTING(field) pipeline_setting_at(offsetof(Pipeline, field))
extern int	pipeline_setting_at(size_t offset);

/* The type of a setting's column and argument. */
extern Oid	pipeline_setting_type(int setting);

/* Can the setting be null? */
extern bool pipeline_setting_is_nullable(int setting);

/*
 * Set the field to the value of a column or an argument, which is copied to
 * the current context.  Raises an error if the value is null and must not be,
 * or if it is not valid; but does not check its range.
 */
extern void pipeline_setting_take(int setting, Pipeline *pipeline,
								  Datum value, bool isnull);

/* The value of the field for its column, palloc'd. */
extern Datum pipeline_setting_value(int setting, const Pipeline *pipeline,
									bool *isnull);

/* Raise an error if a setting is out of its range. */
extern void pipeline_setting_check_ranges(const Pipeline *pipeline);

#endif							/* TRACKING_LEDGER_PIPELINE_SETTING_H */
