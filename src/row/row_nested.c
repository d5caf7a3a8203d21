/*
 * row_nested.c
 *	  Values that are made of others: arrays, composites, domains.
 *
 * The parts are made in the context in which input functions work, as the
 * result is a copy of them.  A string goes to the input function as a whole.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "row/row_hstore.h"
#include "row/row_nested.h"
#include "row/row_text.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* An array being made. */
typedef struct ArrayMaking
{
	const RowInput *element;
	RowScratch *scratch;
	bool		may_call;
	RowError   *error;
	ArrayBuildState *items;
	int			n_dims;			/* 0: not known yet */
	int			dims[MAXDIM];	/* -1: not known yet */
} ArrayMaking;

static int
compare_keys(const char *a, size_t a_len, const char *b, size_t b_len)
{
	if (a_len != b_len)
		return a_len < b_len ? -1 : 1;
	return memcmp(a, b, a_len);
}

int
row_nested_compare(const void *a, const void *b)
{
	const RowAttribute *one = a;
	const RowAttribute *other = b;

	return compare_keys(one->key, one->len, other->key, other->len);
}

static RowInputResult
refuse_malformed(RowError *error, const char *reason)
{
	row_error_set(error, ERRCODE_INVALID_TEXT_REPRESENTATION, "%s", reason);
	return ROW_INPUT_BAD;
}

/* Check a domain's constraints, which are user code and may throw. */
static RowInputResult
check_domain(const RowInput *input, RowScratch *scratch, bool may_call,
			 Datum datum, bool isnull)
{
	RowInput   *own = unconstify(RowInput *, input);
	MemoryContext cxt;

	if (!may_call)
		return ROW_INPUT_CALL;
	cxt = MemoryContextSwitchTo(scratch->cxt);
	scratch->cxt_used = true;
	domain_check(datum, isnull, input->type, &own->domain,
				 input->function.fn_mcxt);
	MemoryContextSwitchTo(cxt);
	return ROW_INPUT_DONE;
}

static RowInputResult
domain_value(const RowInput *input, RowScratch *scratch,
			 const JsonSlice *value, bool may_call, Datum *datum,
			 RowError *error)
{
	RowInputResult result = row_input_value(input->element, scratch, value,
											may_call, datum, error);

	return result != ROW_INPUT_DONE ? result :
		check_domain(input, scratch, may_call, *datum, false);
}

/*
 * Make a value within another, which may be null; a domain checks a null as
 * any value.
 */
static RowInputResult
part_value(const RowInput *input, RowScratch *scratch, const JsonSlice *value,
		   bool may_call, Datum *datum, bool *isnull, RowError *error)
{
	*isnull = value->type == JSON_TOKEN_NULL;
	*datum = (Datum) 0;
	if (!*isnull)
		return row_input_value(input, scratch, value, may_call, datum, error);
	if (input->kind == ROW_INPUT_DOMAIN)
		return check_domain(input, scratch, may_call, *datum, true);
	return ROW_INPUT_DONE;
}

/* Is a JSON array within another one an element, rather than a dimension? */
static bool
takes_arrays(const RowInput *element)
{
	return element->takes_json ||
		(element->kind == ROW_INPUT_DOMAIN &&
		 element->element->kind == ROW_INPUT_ARRAY);
}

static RowInputResult
add_element(ArrayMaking *making, const JsonSlice *item)
{
	Datum		datum;
	bool		isnull;
	RowInputResult result = part_value(making->element, making->scratch, item,
									   making->may_call, &datum, &isnull,
									   making->error);

	if (result == ROW_INPUT_DONE)
		accumArrayResult(making->items, datum, isnull, making->element->type,
						 making->scratch->cxt);
	return result;
}

/*
 * Add the elements of an array at depth dim.  The first element that is no
 * array decides how many dimensions there are; all arrays of a dimension have
 * the same length.
 */
static RowInputResult
add_dimension(ArrayMaking *making, const JsonSlice *value, int dim)
{
	bool		one = takes_arrays(making->element);
	JsonScan	scan;
	JsonSlice	item;
	int			n = 0;

	if (value->type != JSON_TOKEN_ARRAY_START)
		return refuse_malformed(making->error,
								"array of JSON is malformed: it has elements where another has arrays");
	if (dim > MAXDIM)
		return refuse_malformed(making->error,
								"array of JSON has more dimensions than an array can have");
	json_scan_init(&scan, value->start, value->len);
	json_scan_next(&scan);
	for (; json_scan_value(&scan, &item) != JSON_TOKEN_ARRAY_END; n++)
	{
		RowInputResult result;

		if (making->n_dims == 0 &&
			(one || item.type != JSON_TOKEN_ARRAY_START))
			making->n_dims = dim;
		result = dim == making->n_dims ? add_element(making, &item) :
			add_dimension(making, &item, dim + 1);
		if (result != ROW_INPUT_DONE)
			return result;
	}
	if (making->n_dims == 0)
		making->n_dims = dim;
	if (making->dims[dim - 1] < 0)
		making->dims[dim - 1] = n;
	if (making->dims[dim - 1] != n)
		return refuse_malformed(making->error,
								"array of JSON is malformed: its arrays differ in length");
	return ROW_INPUT_DONE;
}

static Datum
finish_array(ArrayMaking *making, MemoryContext cxt)
{
	int			bounds[MAXDIM];

	for (int i = 0; i < MAXDIM; i++)
		bounds[i] = 1;
	return makeMdArrayResult(making->items, making->n_dims, making->dims,
							 bounds, cxt, false);
}

static RowInputResult
array_value(const RowInput *input, RowScratch *scratch,
			const JsonSlice *value, bool may_call, Datum *datum,
			RowError *error)
{
	MemoryContext result_cxt = CurrentMemoryContext;
	ArrayMaking making = {
		.element = input->element,.scratch = scratch,.may_call = may_call,
		.error = error
	};
	RowInputResult result;

	MemoryContextSwitchTo(scratch->cxt);
	scratch->cxt_used = true;
	for (int i = 0; i < MAXDIM; i++)
		making.dims[i] = -1;
	making.items = initArrayResult(making.element->type, scratch->cxt, false);
	result = add_dimension(&making, value, 1);
	MemoryContextSwitchTo(result_cxt);
	if (result == ROW_INPUT_DONE)
		*datum = finish_array(&making, result_cxt);
	else if (result == ROW_INPUT_BAD)
		error->message = pstrdup(error->message);
	return result;
}

/*
 * Find the attributes' values; of members with the same key, the last counts.
 */
static void
find_members(RowComposite *composite, RowScratch *scratch,
			 const JsonSlice *value)
{
	JsonScan	scan;

	for (int i = 0; i < composite->n_attributes; i++)
		composite->slices[i].type = JSON_TOKEN_NULL;
	json_scan_init(&scan, value->start, value->len);
	json_scan_next(&scan);
	while (json_scan_next(&scan) == JSON_TOKEN_KEY)
	{
		JsonSlice	key = scan.value;
		RowAttribute wanted;
		RowAttribute *found = NULL;
		JsonSlice	item;
		RowError	error;

		/* a key that cannot be a text is no attribute's */
		key.type = JSON_TOKEN_STRING;
		if (row_text_utf8(scratch, &key, false, &wanted.key, &wanted.len,
						  &error))
			found = bsearch(&wanted, composite->attributes,
							composite->n_attributes, sizeof(RowAttribute),
							row_nested_compare);
		json_scan_value(&scan, &item);
		if (found != NULL)
			composite->slices[found - composite->attributes] = item;
	}
}

static RowInputResult
composite_parts(RowComposite *composite, RowScratch *scratch, bool may_call,
				RowError *error)
{
	memset(composite->isnull, true, composite->tupdesc->natts * sizeof(bool));
	for (int i = 0; i < composite->n_attributes; i++)
	{
		const RowAttribute *attribute = &composite->attributes[i];
		int			number = attribute->number;
		RowInputResult result = part_value(&attribute->input, scratch,
										   &composite->slices[i], may_call,
										   &composite->values[number],
										   &composite->isnull[number], error);

		if (result != ROW_INPUT_DONE)
			return result;
	}
	return ROW_INPUT_DONE;
}

static RowInputResult
composite_value(const RowInput *input, RowScratch *scratch,
				const JsonSlice *value, bool may_call, Datum *datum,
				RowError *error)
{
	MemoryContext result_cxt = CurrentMemoryContext;
	RowComposite *composite = input->composite;
	RowInputResult result;

	MemoryContextSwitchTo(scratch->cxt);
	scratch->cxt_used = true;
	find_members(composite, scratch, value);
	result = composite_parts(composite, scratch, may_call, error);
	MemoryContextSwitchTo(result_cxt);
	if (result == ROW_INPUT_DONE)
		*datum = HeapTupleGetDatum(heap_form_tuple(composite->tupdesc,
												   composite->values,
												   composite->isnull));
	else if (result == ROW_INPUT_BAD)
		error->message = pstrdup(error->message);
	return result;
}

/* A text that holds JSON. */
static RowInputResult
text_of_json_value(const RowInput *input, RowScratch *scratch,
				   const JsonSlice *value, bool may_call, Datum *datum,
				   RowError *error)
{
	JsonSlice	json;

	if (!row_value_scan("value", value->start, value->len, &json, error))
		return ROW_INPUT_BAD;
	return row_input_value(input->element, scratch, &json, may_call, datum,
						   error);
}

RowInputResult
row_nested_value(const RowInput *input, RowScratch *scratch,
				 const JsonSlice *value, bool may_call, Datum *datum,
				 RowError *error)
{
	if (input->kind == ROW_INPUT_DOMAIN)
		return domain_value(input, scratch, value, may_call, datum, error);
	if (input->kind == ROW_INPUT_TEXT_OF_JSON)
		return text_of_json_value(input, scratch, value, may_call, datum,
								  error);
	if (input->kind == ROW_INPUT_HSTORE &&
		value->type == JSON_TOKEN_OBJECT_START)
		return row_hstore_value(input, scratch, value, may_call, datum, error);
	if (input->kind == ROW_INPUT_ARRAY &&
		value->type == JSON_TOKEN_ARRAY_START)
		return array_value(input, scratch, value, may_call, datum, error);
	if (input->kind == ROW_INPUT_COMPOSITE &&
		value->type == JSON_TOKEN_OBJECT_START)
		return composite_value(input, scratch, value, may_call, datum, error);
	if (value->type == JSON_TOKEN_STRING &&
		input->notation == ROW_NOTATION_PLAIN)
		return ROW_INPUT_CALL;
	row_error_set(error, ERRCODE_INVALID_TEXT_REPRESENTATION,
				  "JSON %s cannot be converted to %s",
				  value->type == JSON_TOKEN_OBJECT_START ? "object" :
				  value->type == JSON_TOKEN_ARRAY_START ? "array" :
				  value->type == JSON_TOKEN_STRING ? "string" :
				  value->type == JSON_TOKEN_NUMBER ? "number" : "boolean",
				  input->kind == ROW_INPUT_ARRAY ? "an array" :
				  format_type_be(input->type));
	return ROW_INPUT_BAD;
}
