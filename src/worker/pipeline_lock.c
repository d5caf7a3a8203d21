/*
 * pipeline_lock.c
 *	  Session locks of pipelines and supervisors.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lock.h"
#include "worker/pipeline_lock.h"

static bool
lock(int32 id, int kind, LOCKMODE mode)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, PIPELINE_LOCK_CLASS, id, kind);
	return LockAcquire(&tag, mode, true, true) == LOCKACQUIRE_OK;
}

static void
unlock(int32 id, int kind, LOCKMODE mode)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, PIPELINE_LOCK_CLASS, id, kind);
	LockRelease(&tag, mode, true);
}

/* Take a lock with database 0, which is released when the process ends. */
static void
lock_of_server(LOCKTAG *tag, uint32 id, int kind)
{
	SET_LOCKTAG_ADVISORY(*tag, InvalidOid, PIPELINE_LOCK_CLASS, id, kind);
	(void) LockAcquire(tag, ShareLock, true, true);
}

bool
pipeline_lock_run(int32 id)
{
	return lock(id, PIPELINE_LOCK_RUN, ExclusiveLock);
}

void
pipeline_unlock_run(int32 id)
{
	unlock(id, PIPELINE_LOCK_RUN, ExclusiveLock);
}

bool
pipeline_lock_worker(int32 id, int slot)
{
	/* both are released when the process ends */
	return lock(id, PIPELINE_LOCK_RUN, ShareLock) &&
		lock(id, PIPELINE_LOCK_WORKER + slot, ExclusiveLock);
}

void
pipeline_lock_read_only(int32 id)
{
	(void) lock(id, PIPELINE_LOCK_READ_ONLY, ShareLock);
}

void
pipeline_unlock_read_only(int32 id)
{
	unlock(id, PIPELINE_LOCK_READ_ONLY, ShareLock);
}

bool
pipeline_lock_supervise(void)
{
	return lock(0, PIPELINE_LOCK_SUPERVISE, ExclusiveLock);
}

void
pipeline_unlock_supervise(void)
{
	unlock(0, PIPELINE_LOCK_SUPERVISE, ExclusiveLock);
}

void
pipeline_lock_create(Oid role)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, PIPELINE_LOCK_CLASS, role,
						 PIPELINE_LOCK_CREATE);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

bool
pipeline_lock_need(PipelineNeed need)
{
	static PipelineNeed told = NEED_NOTHING;
	LOCKTAG		tag;

	if (told == need)
		return false;
	if (told != NEED_NOTHING)
	{
		SET_LOCKTAG_ADVISORY(tag, InvalidOid, PIPELINE_LOCK_CLASS, told,
							 PIPELINE_LOCK_NEED);
		LockRelease(&tag, ShareLock, true);
	}
	told = need;
	if (need == NEED_NOTHING)
		return false;
	lock_of_server(&tag, need, PIPELINE_LOCK_NEED);
	return true;
}

void
pipeline_lock_launch(void)
{
	LOCKTAG		tag;

	lock_of_server(&tag, 0, PIPELINE_LOCK_LAUNCH);
}

void
pipeline_lock_launch_lack(bool lacks)
{
	static LOCKTAG tag;
	static bool told = false;

	if (lacks && !told)
		lock_of_server(&tag, 1, PIPELINE_LOCK_LAUNCH);
	else if (!lacks && told)
		LockRelease(&tag, ShareLock, true);
	told = lacks;
}
