/*
 * dialect_list.h
 *	  The dialects of stores, a line each.  There is no include guard: each
 *	  file that includes this defines what a line becomes.
 *
 * STORE_DIALECT(object of dialect_NAME.c, value of a server's option
 * "dialect")
 *
 * Until a store is asked, it is taken to speak the first one.  It speaks the
 * last one if no other dialect recognizes it.
 */
STORE_DIALECT(dialect_redshift, "redshift")
STORE_DIALECT(dialect_postgresql, "postgresql")
