/*
 * table_extend.c
 *	  Make a table longer by many pages at a time.
 *
 * The kernel reserves the space, and reads what is reserved as zeros: no page
 * is written before it is full.  Pages are known to the free space map before
 * they are initialized, as those that the server itself adds when many insert
 * at once: a crash may leave them so, and whoever meets one initializes it.
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

/* Fewer are not worth a system call; more might be left over for long. */
#define EXTEND_MIN_PAGES 4
#define EXTEND_MAX_PAGES 128

/* What a page holds of rows, about: some is left at its end. */
#define PAGE_ROOM_BYTES (BLCKSZ - BLCKSZ / 16)

/* The kernel, or the file system, cannot do it. */
static bool unsupported = false;

static bool
is_extensible(Relation table)
{
	return !unsupported && !RelationUsesLocalBuffers(table) &&
		table->rd_tableam == GetHeapamTableAmRoutine();
}

/*
 * The next checkpoint is to have the segment's length on disk, as it has what
 * the free space map says of the pages: after a crash of the machine the map
 * would name some that are not there.  What the server does when it makes a
 * table longer (register_dirty_segment() of md.c).
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
 * Reserve the space of n blocks behind the end of the table's last segment,
 * which block is in.  By a descriptor of our own: the server's is its own
 * business, and finds the new end by looking, as ends of tables are moved by
 * others all the time.
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
 * Have buffers for pages that are not there yet: zeros, as these will be, which
 * need not be read then.  Once a page is there this would be wrong: anybody may
 * find it at the end of the table, and use it.
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
 * Nobody else may make the table longer meanwhile.  An empty table, and a
 * segment that is full, are left to the server, which makes files.  Returns how
 * many there are.
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
