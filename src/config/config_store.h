/*
 * config_store.h
 *	  Reads the options of a store, and of a foreign table in it, into the
 *	  structs of the store room.
 */
#ifndef TRACKING_CONFIG_CONFIG_STORE_H
#define TRACKING_CONFIG_CONFIG_STORE_H

#include "postgres.h"

#include "store/store.h"
#include "utils/rel.h"

/*
 * Read a server of tracking_redshift, with the user mapping of userid
 * (InvalidOid: the current role), in the current context.  Raises an error if
 * userid has no mapping, or one that lacks a password which it must have.
 */
extern StoreServer *config_store_server(Oid serverid, Oid userid);

/*
 * For loads: read the server that option aws_server names, if it is set, with
 * the user mapping that userid has there.  Raises an error if userid may not
 * use that server.
 */
extern void config_store_staging(StoreServer *store, Oid userid);

/* Read a foreign table of tracking_redshift, in the current context. */
extern StoreTable *config_store_table(Relation relation);

#endif							/* TRACKING_CONFIG_CONFIG_STORE_H */
