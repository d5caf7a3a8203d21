/*
 * store_qual.c
 *	  Clauses that a store can check: which, and their SQL.
 *
 * These are comparisons of a column with a constant or a parameter, IN lists
 * of constants, and IS [NOT] NULL.  Texts are compared for equality only, as
 * the store sorts them by other rules.  Redshift ignores their trailing
 * blanks: that lets more rows through, never fewer.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/text_settings.h"
#include "catalog/pg_type.h"
#include "fdw/store_fdw.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "store/dialect.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Longer IN lists are checked here only. */
#define MAX_IN_LIST 1000

static bool
is_integer(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

static bool
is_text(Oid type)
{
	return type == TEXTOID || type == VARCHAROID;
}

/* Do all dialects have the type, and compare its values in the same way? */
static bool
is_comparable(Oid type)
{
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
		case FLOAT4OID:
		case FLOAT8OID:
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return true;
		default:
			return is_text(type);
	}
}

static Node *
strip_relabel(Node *node)
{
	while (IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	return node;
}

/* The column of baserel that the expression consists of, or NULL. */
static Var *
as_column(RelOptInfo *baserel, Node *node)
{
	Var		   *var = (Var *) strip_relabel(node);

	return IsA(var, Var) && var->varno == (int) baserel->relid &&
		var->varlevelsup == 0 && var->varattno > 0 ? var : NULL;
}

static bool
is_operand(Node *node)
{
	node = strip_relabel(node);
	return IsA(node, Const) || IsA(node, Param);
}

/*
 * The comparison that an operator of the system makes; "" if it makes none, or
 * stores differ in it for these types.
 */
static const char *
comparison(Oid operator, Oid left, Oid right, Oid collation)
{
	static const char *const known[] = {"=", "<>", "<", "<=", ">", ">="};
	const char *name;

	if (operator >= FirstGenbkiObjectId || !is_comparable(left))
		return "";
	if (left != right && !(is_integer(left) && is_integer(right)) &&
		!(is_text(left) && is_text(right)))
		return "";
	name = get_opname(operator);
	if (name != NULL && is_text(left))
		return strcmp(name, "=") == 0 &&
			get_collation_isdeterministic(collation) ? "=" : "";
	for (int i = 0; name != NULL && i < (int) lengthof(known); i++)
	{
		if (strcmp(name, known[i]) == 0)
			return known[i];
	}
	return "";
}

/*
 * Take apart a clause "column OPERATOR operand" or its reverse: the column,
 * the operand, and how the two compare.  False if the clause is neither.
 */
static bool
match_comparison(RelOptInfo *baserel, OpExpr *clause, Var **column,
				 Node **operand, const char **name)
{
	Node	   *left;
	Node	   *right;
	Oid			operator = clause->opno;

	if (list_length(clause->args) != 2)
		return false;
	left = linitial(clause->args);
	right = lsecond(clause->args);
	if (as_column(baserel, left) == NULL)
	{
		Node	   *other = left;

		left = right;
		right = other;
		operator = get_commutator(operator);
	}
	*column = as_column(baserel, left);
	*operand = right;
	if (*column == NULL || !OidIsValid(operator) || !is_operand(right))
		return false;
	*name = comparison(operator, exprType(left), exprType(right),
					   clause->inputcollid);
	return (*name)[0] != '\0';
}

/*
 * Take apart "column IN (constants)", of which the planner has made an array.
 */
static bool
match_list(RelOptInfo *baserel, ScalarArrayOpExpr *clause, Var **column,
		   Const **list)
{
	Node	   *left = linitial(clause->args);
	Node	   *right = strip_relabel(lsecond(clause->args));
	ArrayType  *array;
	int			n_elements;

	*column = as_column(baserel, left);
	*list = (Const *) right;
	if (*column == NULL || !clause->useOr || !IsA(right, Const) ||
		(*list)->constisnull)
		return false;
	array = DatumGetArrayTypeP((*list)->constvalue);
	n_elements = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	return n_elements > 0 && n_elements <= MAX_IN_LIST &&
		strcmp(comparison(clause->opno, exprType(left), ARR_ELEMTYPE(array),
						  clause->inputcollid), "=") == 0;
}

bool
store_qual_is_shippable(RelOptInfo *baserel, Expr *clause)
{
	Var		   *column;
	Node	   *operand;
	Const	   *list;
	const char *name;

	if (contain_mutable_functions((Node *) clause))
		return false;
	if (IsA(clause, OpExpr))
		return match_comparison(baserel, (OpExpr *) clause, &column, &operand,
								&name);
	if (IsA(clause, ScalarArrayOpExpr))
		return match_list(baserel, (ScalarArrayOpExpr *) clause, &column,
						  &list);
	return IsA(clause, NullTest) && !((NullTest *) clause)->argisrow &&
		as_column(baserel, (Node *) ((NullTest *) clause)->arg) != NULL;
}

static const char *
column_name(const StoreTable *table, const Var *column)
{
	return dialect_quote_identifier(table->columns[column->varattno - 1]);
}

static void
append_operand(StringInfo sql, Node *operand, List **pieces, List **operands)
{
	*pieces = lappend(*pieces, makeString(pstrdup(sql->data)));
	*operands = lappend(*operands, strip_relabel(operand));
	resetStringInfo(sql);
}

void
store_qual_append(StringInfo sql, const StoreTable *table, RelOptInfo *baserel,
				  Expr *clause, List **pieces, List **operands)
{
	Var		   *column;
	Node	   *operand;
	Const	   *list;
	const char *name;

	if (IsA(clause, OpExpr) &&
		match_comparison(baserel, (OpExpr *) clause, &column, &operand, &name))
	{
		appendStringInfo(sql, "%s %s ", column_name(table, column), name);
		append_operand(sql, operand, pieces, operands);
	}
	else if (IsA(clause, ScalarArrayOpExpr) &&
			 match_list(baserel, (ScalarArrayOpExpr *) clause, &column, &list))
	{
		appendStringInfo(sql, "%s IN ", column_name(table, column));
		append_operand(sql, (Node *) list, pieces, operands);
	}
	else
	{
		NullTest   *test = castNode(NullTest, clause);

		column = as_column(baserel, (Node *) test->arg);
		appendStringInfo(sql, "%s IS %s", column_name(table, column),
						 test->nulltesttype == IS_NULL ? "NULL" : "NOT NULL");
	}
}

/*
 * Append an integer as it is, so that the store sees its type; all else
 * quoted.
 */
static void
append_literal(StringInfo sql, const StoreDialect *dialect, Oid type,
			   Datum value, bool isnull)
{
	Oid			output;
	bool		is_varlena;
	char	   *text;

	if (isnull)
	{
		appendStringInfoString(sql, "NULL");
		return;
	}
	getTypeOutputInfo(type, &output, &is_varlena);
	text = OidOutputFunctionCall(output, value);
	/* a negative one in parentheses, as it follows an operator */
	if (is_integer(type))
		appendStringInfo(sql, text[0] == '-' ? "(%s)" : "%s", text);
	else
		appendStringInfoString(sql, dialect_quote_literal(dialect, text));
}

void
store_operand_append(StringInfo sql, const StoreDialect *dialect, Oid type,
					 Datum value, bool isnull)
{
	Oid			element = get_element_type(type);
	int			level = text_settings_begin(text_settings_of(type));

	if (OidIsValid(element))
	{
		Datum	   *values;
		bool	   *nulls;
		int			n_values;
		int16		length;
		bool		by_value;
		char		align;

		get_typlenbyvalalign(element, &length, &by_value, &align);
		deconstruct_array(DatumGetArrayTypeP(value), element, length,
						  by_value, align, &values, &nulls, &n_values);
		for (int i = 0; i < n_values; i++)
		{
			appendStringInfoString(sql, i > 0 ? ", " : "(");
			append_literal(sql, dialect, element, values[i], nulls[i]);
		}
		appendStringInfoChar(sql, ')');
	}
	else
		append_literal(sql, dialect, type, value, isnull);
	text_settings_end(level);
}
