/*
 * xml.h
 *	  Reading and writing the little XML that S3's answers and requests have.
 *
 * An element is found by its name, wherever in the document it is.  There is
 * no tree.  Comments, CDATA sections and name spaces are not understood, nor
 * elements inside others of the same name.
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
 * Find the first element of this name in *rest.  True: *content is set to its
 * content, and *rest to what follows it.  False: there is none.
 */
extern bool xml_next(XmlSlice *rest, const char *name, XmlSlice *content);

/*
 * The text of the first element of this name, with references replaced, in
 * UTF-8; palloc'd.  NULL if there is none.
 */
extern char *xml_text(const XmlSlice *document, const char *name);

/* Is this the name of the document's outermost element? */
extern bool xml_root_is(const XmlSlice *document, const char *name);

/* Append text as the content of an element, with references where needed. */
extern void xml_append(StringInfo out, const char *text);

#endif							/* TRACKING_BASE_XML_H */
