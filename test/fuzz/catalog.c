/*
 * catalog.c
 *	  Types, where there is no catalog: those that the fuzzed code asks for.
 *
 * These functions come before the server's of the same name.  An array's own
 * input and output function would look into the catalog, so that those of text
 * stand for them.
 */
#include "server.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/uuid.h"

typedef struct CatalogType
{
	Oid			oid;
	int16		length;
	bool		by_value;
	char		align;
	Oid			input;
	Oid			output;
	Oid			element;		/* of an array */
} CatalogType;

static const CatalogType types[] = {
	{BOOLOID, 1, true, TYPALIGN_CHAR, F_BOOLIN, F_BOOLOUT, InvalidOid},
	{INT2OID, 2, true, TYPALIGN_SHORT, F_INT2IN, F_INT2OUT, InvalidOid},
	{INT4OID, 4, true, TYPALIGN_INT, F_INT4IN, F_INT4OUT, InvalidOid},
	{INT8OID, 8, true, TYPALIGN_DOUBLE, F_INT8IN, F_INT8OUT, InvalidOid},
	{FLOAT8OID, 8, true, TYPALIGN_DOUBLE, F_FLOAT8IN, F_FLOAT8OUT, InvalidOid},
	{NUMERICOID, -1, false, TYPALIGN_INT, F_NUMERIC_IN, F_NUMERIC_OUT,
	InvalidOid},
	{TEXTOID, -1, false, TYPALIGN_INT, F_TEXTIN, F_TEXTOUT, InvalidOid},
	{VARCHAROID, -1, false, TYPALIGN_INT, F_VARCHARIN, F_VARCHAROUT,
	InvalidOid},
	{BYTEAOID, -1, false, TYPALIGN_INT, F_BYTEAIN, F_BYTEAOUT, InvalidOid},
	{JSONOID, -1, false, TYPALIGN_INT, F_JSON_IN, F_JSON_OUT, InvalidOid},
	{JSONBOID, -1, false, TYPALIGN_INT, F_JSONB_IN, F_JSONB_OUT, InvalidOid},
	{UUIDOID, UUID_LEN, false, TYPALIGN_CHAR, F_UUID_IN, F_UUID_OUT,
	InvalidOid},
	{DATEOID, 4, true, TYPALIGN_INT, F_DATE_IN, F_DATE_OUT, InvalidOid},
	{TIMESTAMPOID, 8, true, TYPALIGN_DOUBLE, F_TIMESTAMP_IN, F_TIMESTAMP_OUT,
	InvalidOid},
	{TIMESTAMPTZOID, 8, true, TYPALIGN_DOUBLE, F_TIMESTAMPTZ_IN,
	F_TIMESTAMPTZ_OUT, InvalidOid},
	{INT4ARRAYOID, -1, false, TYPALIGN_INT, F_TEXTIN, F_TEXTOUT, INT4OID},
	{TEXTARRAYOID, -1, false, TYPALIGN_INT, F_TEXTIN, F_TEXTOUT, TEXTOID},
};

static const CatalogType *
type_of(Oid oid)
{
	for (size_t i = 0; i < lengthof(types); i++)
	{
		if (types[i].oid == oid)
			return &types[i];
	}
	abort();
}

void
server_attribute(TupleDesc tupdesc, int number, const char *name, Oid oid,
				 int32 typmod)
{
	Form_pg_attribute attribute = TupleDescAttr(tupdesc, number);
	const CatalogType *type = type_of(oid);

	memset(attribute, 0, ATTRIBUTE_FIXED_PART_SIZE);
	namestrcpy(&attribute->attname, name);
	attribute->attnum = number + 1;
	attribute->atttypid = oid;
	attribute->atttypmod = typmod;
	attribute->attcacheoff = -1;
	attribute->attlen = type->length;
	attribute->attbyval = type->by_value;
	attribute->attalign = type->align;
	attribute->attstorage = TYPSTORAGE_PLAIN;
}

Oid
getBaseType(Oid typid)
{
	return typid;
}

Oid
getBaseTypeAndTypmod(Oid typid, int32 *typmod)
{
	(void) typmod;
	return typid;
}

Oid
get_element_type(Oid typid)
{
	return type_of(typid)->element;
}

char
get_typtype(Oid typid)
{
	(void) typid;
	return TYPTYPE_BASE;
}

void
get_typlenbyval(Oid typid, int16 *typlen, bool *typbyval)
{
	*typlen = type_of(typid)->length;
	*typbyval = type_of(typid)->by_value;
}

void
get_type_category_preferred(Oid typid, char *typcategory, bool *typispreferred)
{
	*typcategory = OidIsValid(type_of(typid)->element) ?
		TYPCATEGORY_ARRAY : TYPCATEGORY_USER;
	*typispreferred = false;
}

void
getTypeInputInfo(Oid type, Oid *typInput, Oid *typIOParam)
{
	*typInput = type_of(type)->input;
	*typIOParam = InvalidOid;
}

void
getTypeOutputInfo(Oid type, Oid *typOutput, bool *typIsVarlena)
{
	*typOutput = type_of(type)->output;
	*typIsVarlena = type_of(type)->length == -1;
}

char *
format_type_be(Oid type_oid)
{
	return psprintf("type %u", type_oid);
}

ArrayBuildState *
initArrayResult(Oid element_type, MemoryContext rcontext, bool subcontext)
{
	const CatalogType *type = type_of(element_type);
	ArrayBuildState *state = MemoryContextAllocZero(rcontext,
													sizeof(ArrayBuildState));

	state->mcontext = rcontext;
	state->private_cxt = subcontext;
	state->alen = 8;
	state->dvalues = MemoryContextAlloc(rcontext, state->alen * sizeof(Datum));
	state->dnulls = MemoryContextAlloc(rcontext, state->alen * sizeof(bool));
	state->element_type = element_type;
	state->typlen = type->length;
	state->typbyval = type->by_value;
	state->typalign = type->align;
	return state;
}
