/*
 * json_walk.h
 *	  Through a JSON document that JsonScan has accepted, of which nothing is
 *	  checked again: a matter of the row room only.
 */
#ifndef TRACKING_JSON_JSON_WALK_H
#define TRACKING_JSON_JSON_WALK_H

#include "postgres.h"

#include "json/json_skip.h"

/* What stands between values. */
static inline bool
json_walk_is_space(char c)
{
	return c == ',' || c == ':' || c == ' ' || c == '\t' || c == '\n' ||
		c == '\r';
}

/* The next value, or the end of the container. */
static inline const char *
json_walk_spaces(const char *p)
{
	while (json_walk_is_space(*p))
		p++;
	return p;
}

/* The closing quote of a string, from behind the opening one. */
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

/* What follows a number. */
static inline const char *
json_walk_number(const char *p, const char *end)
{
	while (p < end && ((*p >= '0' && *p <= '9') || *p == '.' || *p == 'e' ||
					   *p == 'E' || *p == '-' || *p == '+'))
		p++;
	return p;
}

/* What follows any value that is no container. */
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
