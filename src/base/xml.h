/*
 * xml.h
 *	  As much of XML as S3's answers and requests are made of.
 *
 * Elements are found by name wherever they stand, and their text is taken.
 * There is no tree; comments, CDATA sections and name spaces are not known,
 * and an element inside another of the same name is not told from it.
 */
#ifndef TRACKING_BASE_XML_H
#define TRACKING_BASE_XML_H

#include "postgres.h"

#include "lib/stringinfo.h"

/* A piece of a document: neither copied nor NUL-terminated */
typedef struct XmlSlice
{
	const char *text;
	size_t		bytes;
} XmlSlice;

/*
 * Find the first element of that name in *rest.  If there is one, its content
 * goes to *content, *rest becomes what follows it, and the result is true.
 */
extern bool xml_next(XmlSlice *rest, const char *name, XmlSlice *content);

/*
 * The text of the first element of that name, references replaced, in UTF-8;
 * palloc'd, NULL if there is none.
 */
extern char *xml_text(const XmlSlice *document, const char *name);

/* Is this the name of the document's outermost element? */
extern bool xml_root_is(const XmlSlice *document, const char *name);

/* Append text so that it is the content of an element. */
extern void xml_append(StringInfo out, const char *text);

#endif							/* TRACKING_BASE_XML_H */
