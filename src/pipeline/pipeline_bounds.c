/*
 * pipeline_bounds.c
 *	  The range of keys that a command over a table works on.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "parser/parse_node.h"
#include "pipeline/pipeline_bounds.h"

#define N_BOUNDS 2

#define BOUNDS_HINT \
	"The command is to work on the rows of each batch, as in: INSERT INTO ... SELECT ... WHERE key > $1 AND key <= $2."

/*
 * While a command is being prepared: which bounds it uses; else NULL.  This is
 * not passed as the argument of the parser setup: PostgreSQL analyzes a kept
 * plan again when an object that it depends on has changed, with the same
 * setup and argument, so the argument must not point into the stack of
 * pipeline_bounds_prepare().
 */
static bool *noted = NULL;

/* Make $1 and $2 parameters of type bigint, and note which of them is used. */
static Node *
bound_reference(ParseState *pstate, ParamRef *reference)
{
	Param	   *param;

	if (reference->number < 1 || reference->number > N_BOUNDS)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_PARAMETER),
				 errmsg("there is no parameter $%d", reference->number),
				 errhint(BOUNDS_HINT),
				 parser_errposition(pstate, reference->location)));
	if (noted != NULL)
		noted[reference->number - 1] = true;
	param = makeNode(Param);
	param->paramkind = PARAM_EXTERN;
	param->paramid = reference->number;
	param->paramtype = INT8OID;
	param->paramtypmod = -1;
	param->paramcollid = InvalidOid;
	param->location = reference->location;
	return (Node *) param;
}

static void
set_up_parser(ParseState *pstate, void *arg)
{
	(void) arg;
	pstate->p_paramref_hook = bound_reference;
}

SPIPlanPtr
pipeline_bounds_prepare(const char *command)
{
	bool		used[N_BOUNDS] = {false, false};
	bool	   *outer = noted;	/* functions run at analysis may come here */
	SPIPlanPtr	plan;

	noted = used;
	PG_TRY();
	{
		plan = SPI_prepare_params(command, set_up_parser, NULL, 0);
	}
	PG_FINALLY();
	{
		noted = outer;
	}
	PG_END_TRY();

	if (plan != NULL && !(used[0] && used[1]))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the command does not use the bounds of its batch, $1 and $2"),
				 errdetail("Without them it would work on all of the table with every batch."),
				 errhint(BOUNDS_HINT)));
	return plan;
}

ParamListInfo
pipeline_bounds_values(const Batch *batch)
{
	ParamListInfo bounds = makeParamList(N_BOUNDS);

	bounds->params[0].value = Int64GetDatum(batch->keys[batch->first] - 1);
	bounds->params[1].value = Int64GetDatum(batch->keys[batch->end - 1]);
	for (int i = 0; i < N_BOUNDS; i++)
	{
		bounds->params[i].isnull = false;
		bounds->params[i].pflags = PARAM_FLAG_CONST;
		bounds->params[i].ptype = INT8OID;
	}
	return bounds;
}
