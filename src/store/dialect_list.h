/*
 * dialect_list.h
 *	  The dialects of stores, a line each; there is no include guard, as what a
 *	  line becomes is for whoever includes this.
 *
 * STORE_DIALECT(object of dialect_NAME.c, value of a server's option "dialect")
 *
 * The first is what a store is taken for before it is asked.  The last is what
 * it speaks if no other dialect recognizes it.
 */
STORE_DIALECT(dialect_redshift, "redshift")
STORE_DIALECT(dialect_postgresql, "postgresql")
