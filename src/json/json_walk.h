/*
 * json_walk.h
 *	  Walking through a JSON document that JsonScan has accepted; its syntax
 *	  is not checked again.  For src/row only.
 */
#ifndef TRACKING_JSON_JSON_WALK_H
#define TRACKING_JSON_JSON_WALK_H

#include "postgres.h"

#include "json/json_skip.h"

/* Can this character stand between values (and keys)? */
static inline bool
json_walk_is_space(char c)
{
	return c == ',' || c == ':' || c == ' ' || c == '\t' || c == '\n' ||
		c == '\r';
}

/* Skip to the next value, or to the end of the container. */
static inline const char *
json_walk_spaces(const char *p)
{
	while (json_walk_is_space(*p))
		p++;
	return p;
}

/*
 * The closing quote of a string; p is after the opening one.  *escaped tells
 * whether the string has escapes.
 */
static inline const char *
json_walk_string(const char *p, const char *end, bool *escaped)
{
	*escaped = false;
	while (*(p = json_skip_plain(p, end)) != '"')
	{
		*escaped |= *p == '\\';
		p += *p == '\\' ? 2 : 1;
	}
	return p;
}

/* The place after a number. */
static inline const char *
json_walk_number(const char *p, const char *end)
{
	while (p < end && ((*p >= '0' && *p <= '9') || *p == '.' || *p == 'e' ||
					   *p == 'E' || *p == '-' || *p == '+'))
		p++;
	return p;
}

/* The place after a value that is no container. */
static inline const char *
json_walk_scalar(const char *p, const char *end)
{
	bool		escaped;

	switch (*p)
	{
		case '"':
			return json_walk_string(p + 1, end, &escaped) + 1;
		case 'f':
			return p + strlen("false");
		case 't':
		case 'n':
			return p + strlen("true");
		default:
			return json_walk_number(p, end);
	}
}

#endif							/* TRACKING_JSON_JSON_WALK_H */
