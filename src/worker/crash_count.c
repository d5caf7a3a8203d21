/*
 * crash_count.c
 *	  Counts how often workers of a pipeline have crashed.
 *
 * A worker has a record in a file.  It notes there that it is at work, and
 * when it exits, that it has exited.  If a record says "at work" and its
 * worker is gone, the worker has crashed.  The postmaster then sends SIGQUIT
 * to the other processes: the handler for it here notes that this process did
 * not crash.
 *
 * Counts are valid for one generation of the pipeline only: a new one has
 * other settings, or a user has started the pipeline again.
 */
#include "postgres.h"

#include <dirent.h>
#include <unistd.h>

#include "access/parallel.h"
#include "base/clock.h"
#include "ledger/pipeline_setting.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "worker/crash_count.h"

#define FILE_PREFIX "tracking_fdw."
#define FILE_NAME FILE_PREFIX "%u.%d"	/* database, pipeline */

/* A worker that has been idle so long after its start counts as useful. */
#define IDLE_MS 10000
/* of_late is decremented whenever a worker has lived so long. */
#define FORGET_MS 600000

/*
 * The state of a process: it is at work, has exited by itself, was ended by
 * SIGTERM or an error that it could not catch, or was ended by SIGQUIT.
 */
#define AT_WORK 'w'
#define EXITED 'e'
#define TERMINATED 't'
#define QUIT 'q'

/*
 * The supervisor of a database has its record as if of a pipeline with this
 * id.
 */
#define SUPERVISOR 0

/* A file has a record for each slot of the pipeline, in the slots' order. */
typedef struct CrashRecord
{
	TimestampTz postmaster_start;
	int64		generation;
	int64		begun_ms;		/* when the worker began, by clock_now_ms() */
	int32		postmaster_pid;
	CrashCount	before;			/* crashes before this worker */
	bool		useful;			/* it has applied something, or was idle */
	char		state;			/* AT_WORK, ... */
} CrashRecord;

/* The record of this process; a signal handler uses the first two. */
static int	file = -1;
static off_t place;				/* offset of the record in file */
static CrashRecord mine;
static char mine_path[MAXPGPATH];

static void
file_path(char *path, size_t size, int32 pipeline)
{
	snprintf(path, size, "%s/" FILE_NAME, PG_STAT_TMP_DIR, MyDatabaseId,
			 pipeline);
}

static bool
is_of_postmaster(const CrashRecord *record, TimestampTz start, int32 pid)
{
	return record->postmaster_start == start && record->postmaster_pid == pid;
}

static bool
is_of(const CrashRecord *record, int64 generation)
{
	return is_of_postmaster(record, PgStartTime, PostmasterPid) &&
		record->generation == generation;
}

/* The crashes that a record stands for whose worker is gone. */
static CrashCount
counted(const CrashRecord *record)
{
	CrashCount	count = record->before;

	if (record->state == AT_WORK)
	{
		count.in_a_row++;
		count.of_late++;
	}
	return count;
}

/* ----------------------------------------------------------------
 * A worker's own record
 * ---------------------------------------------------------------- */

static void
write_mine(void)
{
	if (pwrite(file, &mine, sizeof(mine), place) != sizeof(mine))
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not write to file \"%s\": %m", mine_path)));
}

/*
 * Called at exit and by a signal handler, where a failure cannot be handled:
 * the end of this process then counts as a crash.
 */
static void
write_state(char state)
{
	(void) !pwrite(file, &state, 1, place + offsetof(CrashRecord, state));
}

/*
 * Any other exit code comes from code of the command that has called exit(),
 * which counts as a crash.
 */
static void
note_exit(int code, Datum arg)
{
	(void) arg;
	if (code == 0)
		write_state(EXITED);
	else if (code == 1)
		write_state(TERMINATED);
}

/*
 * The handler of SIGQUIT: the postmaster ends all processes, because one of
 * them has crashed, or it was told to.  But if this process has parallel
 * workers, it may be one of these that has crashed: then this counts as a
 * crash, too.
 */
static void
note_quit(SIGNAL_ARGS)
{
	if (!ParallelContextActive())
		write_state(QUIT);
	SignalHandlerForCrashExit(postgres_signal_arg);
}

/*
 * Open the file of a pipeline for the record of a slot.  *last is what the
 * record says so far, zeros if there is none.
 */
static void
open_mine(int32 pipeline, int slot, CrashRecord *last)
{
	file_path(mine_path, sizeof(mine_path), pipeline);
	file = BasicOpenFile(mine_path, O_RDWR | O_CREAT | PG_BINARY);
	if (file < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\": %m", mine_path)));
	ReserveExternalFD();
	place = slot * sizeof(CrashRecord);
	if (pread(file, last, sizeof(*last), place) != sizeof(*last))
		memset(last, 0, sizeof(*last));
}

/* Write the record: from now on the end of this process counts as a crash. */
static void
begin_mine(int64 generation, pg_on_exit_callback at_exit)
{
	mine.postmaster_start = PgStartTime;
	mine.postmaster_pid = PostmasterPid;
	mine.generation = generation;
	mine.begun_ms = clock_now_ms();
	mine.state = AT_WORK;
	/* first the handler, so that another process's crash never counts */
	pqsignal(SIGQUIT, note_quit);
	write_mine();
	on_proc_exit(at_exit, (Datum) 0);
}

void
crash_count_begin(int32 pipeline, int slot, int64 generation)
{
	CrashRecord last;

	open_mine(pipeline, slot, &last);
	if (is_of(&last, generation))
		mine.before = counted(&last);
	begin_mine(generation, note_exit);
}

void
crash_count_live(bool applied)
{
	static int64 forgot_ms = 0;
	int64		now_ms = clock_now_ms();
	bool		changed = false;

	if (!mine.useful && (applied || now_ms >= mine.begun_ms + IDLE_MS))
	{
		mine.useful = true;
		mine.before.in_a_row = 0;
		changed = true;
	}
	if (mine.before.of_late > 0 &&
		now_ms >= Max(forgot_ms, mine.begun_ms) + FORGET_MS)
	{
		mine.before.of_late--;
		forgot_ms = now_ms;
		changed = true;
	}
	if (changed)
		write_mine();
}

/* ----------------------------------------------------------------
 * For the supervisor
 * ---------------------------------------------------------------- */

/* Read up to max records of a pipeline; returns how many there were. */
static int
read_records(int32 pipeline, CrashRecord *records, int max)
{
	char		path[MAXPGPATH];
	int			fd;
	int			n;

	file_path(path, sizeof(path), pipeline);
	fd = OpenTransientFile(path, O_RDONLY | PG_BINARY);
	if (fd < 0)
		return 0;
	n = read(fd, records, max * sizeof(CrashRecord));
	CloseTransientFile(fd);
	return Max(n, 0) / (int) sizeof(CrashRecord);
}

CrashCount
crash_count_read(int32 pipeline, int64 generation, int n_slots,
				 const Bitmapset *working)
{
	CrashRecord records[PIPELINE_MAX_WORKERS];
	int			n = read_records(pipeline, records,
								 Min(n_slots, (int) lengthof(records)));
	CrashCount	sum = {0};

	for (int slot = 0; slot < n; slot++)
	{
		CrashCount	count = records[slot].before;

		if (!is_of(&records[slot], generation))
			continue;
		if (!bms_is_member(slot, working))
			count = counted(&records[slot]);
		sum.in_a_row += count.in_a_row;
		sum.of_late += count.of_late;
	}
	return sum;
}

bool
crash_count_was_in_vain(int32 pipeline, int slot, int64 started_ms)
{
	CrashRecord records[PIPELINE_MAX_WORKERS];
	const CrashRecord *record = &records[slot];

	return read_records(pipeline, records, slot + 1) <= slot ||
		record->begun_ms < started_ms ||
		(record->state == TERMINATED && !record->useful);
}

/* Is this the name of such a file, and of which pipeline in which database? */
static bool
is_ours(const char *name, Oid *database, int *pipeline)
{
	int			length = 0;

	return sscanf(name, FILE_NAME "%n", database, pipeline, &length) == 2 &&
		name[length] == '\0';
}

/*
 * Make a pipeline's records of the last postmaster, which the supervisor's
 * record last names, valid for this one.
 */
static void
adopt_file(int32 pipeline, const CrashRecord *last)
{
	CrashRecord records[PIPELINE_MAX_WORKERS];
	int			n = read_records(pipeline, records, lengthof(records));
	char		path[MAXPGPATH];
	int			fd;

	file_path(path, sizeof(path), pipeline);
	fd = OpenTransientFile(path, O_WRONLY | PG_BINARY);
	if (fd < 0)
		return;
	for (int i = 0; i < n; i++)
	{
		if (!is_of_postmaster(&records[i], last->postmaster_start,
							  last->postmaster_pid))
			continue;
		records[i].postmaster_start = PgStartTime;
		records[i].postmaster_pid = PostmasterPid;
	}
	if (pwrite(fd, records, n * sizeof(CrashRecord), 0) !=
		(ssize_t) (n * sizeof(CrashRecord)))
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not write to file \"%s\": %m", path)));
	CloseTransientFile(fd);
}

static void
adopt(const CrashRecord *last)
{
	DIR		   *dir = AllocateDir(PG_STAT_TMP_DIR);
	struct dirent *entry;
	Oid			database;
	int			pipeline;

	while ((entry = ReadDirExtended(dir, PG_STAT_TMP_DIR, LOG)) != NULL)
	{
		if (is_ours(entry->d_name, &database, &pipeline) &&
			database == MyDatabaseId && pipeline != SUPERVISOR)
			adopt_file(pipeline, last);
	}
	FreeDir(dir);
}

static void
remove_mine(int code, Datum arg)
{
	(void) code;
	(void) arg;
	(void) unlink(mine_path);
}

void
crash_count_supervise(void)
{
	CrashRecord last;

	open_mine(SUPERVISOR, 0, &last);
	if (last.state == QUIT &&
		!is_of_postmaster(&last, PgStartTime, PostmasterPid))
		adopt(&last);
	begin_mine(0, remove_mine);
}

/* Is this such a file, of a pipeline or database that no longer exists? */
static bool
is_stale(const char *name, List *ids)
{
	Oid			database;
	int			pipeline;

	if (!is_ours(name, &database, &pipeline))
		return false;
	if (database == MyDatabaseId)
		return pipeline != SUPERVISOR && !list_member_int(ids, pipeline);
	return !SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(database));
}

void
crash_count_sweep(List *ids)
{
	DIR		   *dir = AllocateDir(PG_STAT_TMP_DIR);
	struct dirent *entry;

	while ((entry = ReadDirExtended(dir, PG_STAT_TMP_DIR, LOG)) != NULL)
	{
		char		path[MAXPGPATH * 2];

		if (!is_stale(entry->d_name, ids))
			continue;
		snprintf(path, sizeof(path), "%s/%s", PG_STAT_TMP_DIR, entry->d_name);
		if (unlink(path) != 0 && errno != ENOENT)
			ereport(LOG,
					(errcode_for_file_access(),
					 errmsg("could not remove file \"%s\": %m", path)));
	}
	FreeDir(dir);
}
