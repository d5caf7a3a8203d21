/*
 * config_store.h
 *	  A store, and a foreign table in it, as the plain structs of the store room.
 */
#ifndef TRACKING_CONFIG_CONFIG_STORE_H
#define TRACKING_CONFIG_CONFIG_STORE_H

#include "postgres.h"

#include "store/store.h"
#include "utils/rel.h"

/*
 * A server of tracking_redshift with the user mapping of userid (InvalidOid: the
 * current role), in the current context.  Raises an error if it has none, or
 * one without a password that it must have.
 */
extern StoreServer *config_store_server(Oid serverid, Oid userid);

/*
 * For loads: read the server's aws_server, if it names one, with the user
 * mapping that userid has there.  Raises an error if userid may not use it.
 */
extern void config_store_staging(StoreServer *store, Oid userid);

/* A foreign table of tracking_redshift, in the current context. */
extern StoreTable *config_store_table(Relation relation);

#endif							/* TRACKING_CONFIG_CONFIG_STORE_H */
