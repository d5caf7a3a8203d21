/*
 * pipeline_setting.h
 *	  The settings of a pipeline: one table.
 *
 * A setting is a column of tracking.pipeline, a field of Pipeline, and a line
 * of the table in pipeline_setting.c, by which create_pipeline() and
 * alter_pipeline() take it, and rows are loaded and saved.  What two settings
 * mean together is for the SQL functions to check.  Settings are known by their
 * numbers in the table.
 */
#ifndef TRACKING_LEDGER_PIPELINE_SETTING_H
#define TRACKING_LEDGER_PIPELINE_SETTING_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"

/* The most workers that a pipeline can have, whoever has it */
#define PIPELINE_MAX_WORKERS 64

/* Its type, as a column and an argument, and as a field */
typedef enum PipelineSettingKind
{
	SETTING_BOOL,				/* bool */
	SETTING_INT4,				/* int */
	SETTING_INT8,				/* int64 */
	SETTING_FLOAT8,				/* double */
	SETTING_INTERVAL,			/* int64, milliseconds */
	SETTING_TEXT,				/* char *, NULL for null */
	SETTING_CHOICE,				/* text, one of two; bool: it is the second */
	SETTING_REGCLASS,			/* Oid, InvalidOid for null */
	SETTING_POSITION			/* text; StreamPosition */
} PipelineSettingKind;

typedef struct PipelineSetting
{
	const char *name;			/* of the column, and of the argument */
	PipelineSettingKind kind;
	size_t		offset;			/* of the field */
	bool		fixed;			/* alter_pipeline() cannot change it */
	bool		nullable;
	bool		empty_is_null;	/* to alter_pipeline(), for which null changes
								 * nothing */
	double		min;			/* of a number */
	double		max;
	double		null_is;		/* the number that null stands for */
	const char *unit;			/* how a hint goes on after the range */
	const char *choices[2];
	const char *hint;			/* which names the choices */
} PipelineSetting;

/* How many there are; and one of them, from 0. */
extern int	pipeline_setting_count(void);
extern const PipelineSetting *pipeline_setting_get(int setting);

/* The one of this name; -1: there is none. */
extern int	pipeline_setting_find(const char *name);

/* The one that is a field of Pipeline, which must be one. */
#define PIPELINE_SETTING(field) pipeline_setting_at(offsetof(Pipeline, field))
extern int	pipeline_setting_at(size_t offset);

/* The type of its column, and of its argument. */
extern Oid	pipeline_setting_type(int setting);

/* Can it be null? */
extern bool pipeline_setting_is_nullable(int setting);

/*
 * Set the field to the value of a column or an argument, copied to the current
 * context.  Raises an error if it is null and cannot be, or means nothing; not
 * if it is out of range.
 */
extern void pipeline_setting_take(int setting, Pipeline *pipeline,
								  Datum value, bool isnull);

/* The value for the column, palloc'd. */
extern Datum pipeline_setting_value(int setting, const Pipeline *pipeline,
									bool *isnull);

/* Raise an error if a setting is out of its range. */
extern void pipeline_setting_check_ranges(const Pipeline *pipeline);

#endif							/* TRACKING_LEDGER_PIPELINE_SETTING_H */
