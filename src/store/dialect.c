/*
 * dialect.c
 *	  The table of dialects, and quoting.
 */
#include "postgres.h"

#include "store/dialect.h"

const StoreDialect *const dialects[] = {
#define STORE_DIALECT(dialect, name) &dialect,
#include "store/dialect_list.h"
#undef STORE_DIALECT
};

const char *const dialect_names[] = {
#define STORE_DIALECT(dialect, name) name,
#include "store/dialect_list.h"
#undef STORE_DIALECT
	NULL
};

const StoreDialect *
dialect_detect(const StoreConnection *connection)
{
	int			last = (int) lengthof(dialects) - 1;

	for (int i = 0; i < last; i++)
	{
		if (dialects[i]->recognizes(connection))
			return dialects[i];
	}
	return dialects[last];
}

char *
dialect_quote_literal(const StoreDialect *dialect, const char *text)
{
	char	   *literal = palloc(2 * strlen(text) + 3);
	char	   *out = literal;

	*out++ = '\'';
	for (; *text != '\0'; text++)
	{
		if (*text == '\'' || (dialect->has_escapes && *text == '\\'))
			*out++ = *text;
		*out++ = *text;
	}
	*out++ = '\'';
	*out = '\0';
	return literal;
}

/* The name is always quoted, as the remote has other reserved words. */
char *
dialect_quote_identifier(const char *name)
{
	char	   *quoted = palloc(2 * strlen(name) + 3);
	char	   *out = quoted;

	*out++ = '"';
	for (; *name != '\0'; name++)
	{
		if (*name == '"')
			*out++ = '"';
		*out++ = *name;
	}
	*out++ = '"';
	*out = '\0';
	return quoted;
}
