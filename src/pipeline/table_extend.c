/*
 * table_extend.c
 *	  Extend a table by many pages at a time.
 *
 * The kernel reserves the space by fallocate(), and reserved space is read as
 * zeros: so no page need be written before it is full.  Pages are entered in
 * the free space map before they are initialized, as the server does it when
 * it extends a table for many sessions at once.  A crash may leave such pages;
 * the session that meets one initializes it.
 */
#include "postgres.h"

#include "base/compat.h"
#include "pipeline/table_extend.h"

void
table_extend_init(TableExtend *extend, Relation table, BulkInsertState bulk)
{
	memset(extend, 0, sizeof(*extend));
	extend->table = table;
	extend->bulk = bulk;
}

#ifdef COMPAT_EXTENDS_BY_PAGE

#include <fcntl.h>

#include "access/hio.h"
#include "access/tableam.h"
#include "storage/bufmgr.h"
#include "storage/fd.h"
#include "storage/freespace.h"
#include "storage/lmgr.h"
#include "storage/smgr.h"
#include "storage/sync.h"

/* Fewer pages are not worth a system call; more might stay unused for long. */
#define EXTEND_MIN_PAGES 4
#define EXTEND_MAX_PAGES 128

/* About how many bytes of rows a page holds: some space is left at its end. */
#define PAGE_ROOM_BYTES (BLCKSZ - BLCKSZ / 16)

/* fallocate() has failed here: the kernel or the file system lacks it. */
static bool unsupported = false;

static bool
is_extensible(Relation table)
{
	return !unsupported && !RelationUsesLocalBuffers(table) &&
		table->rd_tableam == GetHeapamTableAmRoutine();
}

/*
 * Have the next checkpoint sync the segment file, and with it its new length.
 * The checkpoint writes the free space map as well, which would otherwise name
 * pages that do not exist after a crash of the machine.  The server does the
 * same when it extends a table (register_dirty_segment() in md.c).
 */
static void
sync_at_checkpoint(Relation table, BlockNumber segment, int fd,
				   const char *path)
{
	FileTag		tag;

	memset(&tag, 0, sizeof(tag));
	tag.handler = SYNC_HANDLER_MD;
	tag.rnode = table->rd_node;
	tag.forknum = MAIN_FORKNUM;
	tag.segno = segment;
	/* false: the queue is full */
	if (!RegisterSyncRequest(&tag, SYNC_REQUEST, false) && pg_fsync(fd) != 0)
		ereport(data_sync_elevel(ERROR),
				(errcode_for_file_access(),
				 errmsg("could not fsync file \"%s\": %m", path)));
}

/*
 * Reserve the space of n blocks, from block on, which is the end of the table
 * and in its last segment.  This opens the file itself and leaves the server's
 * descriptors alone: the server asks the file for its length each time, as
 * other sessions extend tables as well.
 */
static bool
reserve_space(Relation table, BlockNumber block, int n)
{
	BlockNumber segment = block / RELSEG_SIZE;
	char	   *path = relpathperm(table->rd_node, MAIN_FORKNUM);
	int			fd;
	bool		done;

	if (segment > 0)
		path = psprintf("%s.%u", path, segment);
	fd = OpenTransientFile(path, O_RDWR | PG_BINARY);
	if (fd < 0)
		return false;
	do
		done = fallocate(fd, 0, (off_t) (block % RELSEG_SIZE) * BLCKSZ,
						 (off_t) n * BLCKSZ) == 0;
	while (!done && errno == EINTR);
	unsupported = !done && errno != ENOSPC && errno != EDQUOT;
	if (done)
		sync_at_checkpoint(table, segment, fd, path);
	CloseTransientFile(fd);
	return done;
}

/*
 * Put zeroed buffers of the pages that are about to be added into the buffer
 * pool, so that the pages need not be read from disk.  This must happen before
 * the pages exist: afterwards another session may find one at the end of the
 * table and use it, and its rows would be zeroed.
 */
static void
fill_buffers(const TableExtend *extend, BlockNumber first, int n)
{
	for (int i = 0; i < n; i++)
		UnlockReleaseBuffer(ReadBufferExtended(extend->table, MAIN_FORKNUM,
											   first + i, RBM_ZERO_AND_LOCK,
											   extend->bulk->strategy));
}

static void
publish_pages(Relation table, BlockNumber first, int n)
{
	for (int i = 0; i < n; i++)
		RecordPageWithFreeSpace(table, first + i,
								BLCKSZ - SizeOfPageHeaderData);
	FreeSpaceMapVacuumRange(table, first, first + n);
}

/*
 * Add up to n pages, with the table locked against extension by others.
 * Returns how many were added: none if the table is empty or its last segment
 * is full, as creating files is left to the server.
 */
static int
add_pages(const TableExtend *extend, int n)
{
	Relation	table = extend->table;
	BlockNumber first;

	LockRelationForExtension(table, ExclusiveLock);
	first = RelationGetNumberOfBlocks(table);
	n = Min(n, (int) (RELSEG_SIZE - first % RELSEG_SIZE));
	if (first % RELSEG_SIZE == 0)
		n = 0;
	fill_buffers(extend, first, n);
	if (n > 0 && reserve_space(table, first, n))
		publish_pages(table, first, n);
	else
		n = 0;
	UnlockRelationForExtension(table, ExclusiveLock);
	return n;
}

void
table_extend_reserve(TableExtend *extend, size_t bytes)
{
	int			needed = bytes / PAGE_ROOM_BYTES + 1;

	if (extend->room_bytes < bytes && needed >= EXTEND_MIN_PAGES &&
		is_extensible(extend->table) &&
		GetPageWithFreeSpace(extend->table, BLCKSZ / 2) == InvalidBlockNumber)
	{
		extend->n_pages = Min(Max(extend->n_pages * 2, needed),
							  EXTEND_MAX_PAGES);
		extend->room_bytes = add_pages(extend, extend->n_pages) *
			PAGE_ROOM_BYTES;
	}
	extend->room_bytes -= Min(bytes, extend->room_bytes);
}

#else

void
table_extend_reserve(TableExtend *extend, size_t bytes)
{
	(void) extend;
	(void) bytes;
}

#endif
