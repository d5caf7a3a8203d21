/*
 * pipeline_argument.c
 *	  The arguments of create_pipeline() and alter_pipeline(), by their names.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/compat.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "function/pipeline_argument.h"
#include "ledger/pipeline_setting.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* The names of the called function's arguments; *n of them. */
static char **
argument_names(FunctionCallInfo fcinfo, int *n)
{
	Oid			function = fcinfo->flinfo->fn_oid;
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	bool		isnull;
	Datum		all;
	char	  **names;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	all = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_proargnames, &isnull);
	if (isnull)
		elog(ERROR, "the arguments of function %u have no names", function);
	*n = get_func_input_arg_names(all, (Datum) 0, &names);
	ReleaseSysCache(tuple);
	return names;
}

int
pipeline_argument(FunctionCallInfo fcinfo, const char *name)
{
	int			n;
	char	  **names = argument_names(fcinfo, &n);

	for (int i = 0; i < n; i++)
	{
		if (strcmp(names[i], name) == 0)
			return i;
	}
	elog(ERROR, "function %u has no argument \"%s\"",
		 fcinfo->flinfo->fn_oid, name);
}

static bool
is_listed(const char *name, const char *const *list)
{
	for (; *list != NULL; list++)
	{
		if (strcmp(*list, name) == 0)
			return true;
	}
	return false;
}

/* Is this the empty string, which stands for null in this setting? */
static bool
means_null(const PipelineSetting *setting, Datum value)
{
	return setting->empty_is_null && TextDatumGetCString(value)[0] == '\0';
}

Bitmapset *
pipeline_argument_settings(FunctionCallInfo fcinfo, Pipeline *pipeline,
						   const char *const *others)
{
	bool		is_new = pipeline->id == 0;
	Bitmapset  *taken = NULL;
	Oid		   *types;
	int			n;
	char	  **names = argument_names(fcinfo, &n);

	(void) get_func_signature(fcinfo->flinfo->fn_oid, &types, &n);
	for (int i = 0; i < n; i++)
	{
		int			number = pipeline_setting_find(names[i]);
		const PipelineSetting *setting;
		bool		isnull = PG_ARGISNULL(i);

		if (number < 0 && is_listed(names[i], others))
			continue;
		if (number < 0 || types[i] != pipeline_setting_type(number))
			elog(ERROR, "argument \"%s\" of type %u is no setting of pipelines",
				 names[i], types[i]);
		setting = pipeline_setting_get(number);
		if (!is_new && setting->fixed)
			elog(ERROR, "\"%s\" of a pipeline cannot be altered", names[i]);
		if (!is_new && isnull)
			continue;
		if (!is_new)
			isnull = means_null(setting, PG_GETARG_DATUM(i));
		pipeline_setting_take(number, pipeline, PG_GETARG_DATUM(i), isnull);
		taken = bms_add_member(taken, number);
	}
	return taken;
}
