/*
 * stream_outbox.c
 *	  Records that a batch's command publishes; see stream_outbox.h.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/md5.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "stream/stream_outbox.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/* Records for which there is room at first */
#define FIRST_HELD 1024

/* Records of the same content, and the answers for those that were sent. */
typedef struct SentContent
{
	uint8		digest[MD5_BYTES];	/* of the content: hash key */
	int			wanted;			/* records of this content that were put in,
								 * in this attempt, and sent on */
	StreamSent	sent;			/* answers of all attempts */
} SentContent;

typedef struct HeldRecord
{
	StreamWriter *writer;
	int64		row;
	int			level;			/* nesting level of the transaction that it
								 * was put in by */
	SentContent *content;		/* NULL until it is sent */
	KinesisPutRecord put;		/* freed once it is sent */
} HeldRecord;

typedef struct OutboxWriter
{
	Oid			relid;
	Oid			userid;
	StreamWriter *writer;
} OutboxWriter;

typedef struct Outbox
{
	MemoryContext cxt;			/* NULL: the outbox is closed */
	int			level;			/* nesting level of the transaction that it
								 * was opened in */
	size_t		max_bytes;
	size_t		bytes;			/* of the records that are not sent yet */
	List	   *writers;		/* OutboxWriter * */
	HeldRecord *held;			/* in the order in which they were put in */
	int			n_held;
	int			max_held;		/* for which held has room */
	int			n_sent;			/* the first n_sent of held were sent */
} Outbox;

static Outbox outbox;

/* SentContent by digest; outlives the transaction that sent it. */
static MemoryContext sent_cxt = NULL;
static HTAB *sent = NULL;
static bool remembering = false;	/* see stream_outbox_remember() */
static bool published = false;	/* this transaction has published */

/* ----------------------------------------------------------------
 * What was sent
 * ---------------------------------------------------------------- */

bool
stream_outbox_has_sent(void)
{
	return sent != NULL;
}

static void
forget(void)
{
	if (sent_cxt != NULL)
		MemoryContextDelete(sent_cxt);
	sent_cxt = NULL;
	sent = NULL;
}

void
stream_outbox_remember(bool remember)
{
	remembering = remember;
	if (!remember)
		forget();
}

static void
append_part(StringInfo content, const char *part, size_t len)
{
	appendBinaryStringInfo(content, (const char *) &len, sizeof(len));
	appendBinaryStringInfo(content, part, len);
}

/*
 * The digest of a record's content: stream, keys and data.  A partition key
 * that the writer makes up is not part of it.
 */
static void
digest_of(const HeldRecord *record, uint8 *digest)
{
	const KinesisPutRecord *put = &record->put;
	const char *texts[] = {
		stream_writer_place(record->writer), put->partition_key,
		put->explicit_hash_key
	};
	StringInfoData content;

	initStringInfo(&content);
	for (int i = 0; i < (int) lengthof(texts); i++)
	{
		if (texts[i] != NULL)
			append_part(&content, texts[i], strlen(texts[i]));
		else
			appendStringInfoChar(&content, '\0');
	}
	append_part(&content, put->data, put->data_bytes);
	md5_digest(content.data, content.len, digest);
	pfree(content.data);
}

static void
begin_sent(void)
{
	HASHCTL		control = {
		.keysize = MD5_BYTES,
		.entrysize = sizeof(SentContent)
	};

	sent_cxt = AllocSetContextCreate(TopMemoryContext, "tracking_fdw sent",
									 ALLOCSET_DEFAULT_SIZES);
	control.hcxt = sent_cxt;
	sent = hash_create("tracking_fdw sent", FIRST_HELD, &control,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static SentContent *
content_of(const HeldRecord *record)
{
	uint8		digest[MD5_BYTES];
	SentContent *content;
	bool		found;

	if (sent == NULL)
		begin_sent();
	digest_of(record, digest);
	content = hash_search(sent, digest, HASH_ENTER, &found);
	if (!found)
	{
		content->wanted = 0;
		content->sent.cxt = sent_cxt;
		content->sent.results = NIL;
	}
	return content;
}

/* A new attempt begins: no record was put in yet. */
static void
want_nothing(void)
{
	HASH_SEQ_STATUS status;
	SentContent *content;

	if (sent == NULL)
		return;
	hash_seq_init(&status, sent);
	while ((content = hash_seq_search(&status)) != NULL)
		content->wanted = 0;
}

/* ----------------------------------------------------------------
 * What waits
 * ---------------------------------------------------------------- */

/* What a record takes of max_bytes, with the array element that holds it. */
static size_t
held_bytes(const HeldRecord *record)
{
	const KinesisPutRecord *put = &record->put;

	return sizeof(HeldRecord) + put->data_bytes +
		(put->partition_key ? strlen(put->partition_key) : 0) +
		(put->explicit_hash_key ? strlen(put->explicit_hash_key) : 0);
}

static void
free_record(HeldRecord *record)
{
	pfree(unconstify(char *, record->put.data));
	if (record->put.partition_key != NULL)
		pfree(unconstify(char *, record->put.partition_key));
	if (record->put.explicit_hash_key != NULL)
		pfree(unconstify(char *, record->put.explicit_hash_key));
}

static void
close_outbox(void)
{
	MemoryContext cxt = outbox.cxt;

	memset(&outbox, 0, sizeof(outbox));
	if (cxt != NULL)
		MemoryContextDelete(cxt);
}

/*
 * An error may have ended send_held() half way.  Then no record counts as sent
 * by it; the answers for those that the stream took stay in their content.
 */
static void
interrupt_sending(void)
{
	ListCell   *cell;

	foreach(cell, outbox.writers)
		stream_writer_discard(((OutboxWriter *) lfirst(cell))->writer);
	for (int i = outbox.n_sent; i < outbox.n_held; i++)
	{
		if (outbox.held[i].content != NULL)
			outbox.held[i].content->wanted--;
		outbox.held[i].content = NULL;
	}
}

/* Drop the records that were put in at this nesting level or a deeper one. */
static void
drop_level(int level)
{
	while (outbox.n_held > 0 &&
		   outbox.held[outbox.n_held - 1].level >= level)
	{
		HeldRecord *record = &outbox.held[--outbox.n_held];

		if (record->content != NULL)
			record->content->wanted--;
		else
		{
			outbox.bytes -= held_bytes(record);
			free_record(record);
		}
	}
	outbox.n_sent = Min(outbox.n_sent, outbox.n_held);
}

static void
at_subtransaction_end(SubXactEvent event, SubTransactionId mine,
					  SubTransactionId parent, void *arg)
{
	int			level = GetCurrentTransactionNestLevel();

	(void) mine;
	(void) parent;
	(void) arg;
	if (outbox.cxt == NULL)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		if (level > outbox.level)
		{
			interrupt_sending();
			drop_level(level);
		}
		else
			close_outbox();
	}
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		for (int i = outbox.n_held - 1;
			 i >= 0 && outbox.held[i].level >= level; i--)
			outbox.held[i].level = level - 1;
		outbox.level = Min(outbox.level, level - 1);
	}
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	(void) arg;
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			if (outbox.cxt != NULL)
				elog(ERROR, "records of a batch wait to be published");
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PREPARE:
			if (published)
				forget();
			published = false;
			break;
		case XACT_EVENT_ABORT:
			close_outbox();
			published = false;
			if (!remembering)
				forget();
			break;
		default:
			break;
	}
}

static void
register_callbacks(void)
{
	static bool registered = false;

	if (registered)
		return;
	RegisterXactCallback(at_transaction_end, NULL);
	RegisterSubXactCallback(at_subtransaction_end, NULL);
	registered = true;
}

bool
stream_outbox_open(size_t max_bytes)
{
	if (outbox.cxt != NULL)
		return false;
	register_callbacks();
	want_nothing();
	outbox.cxt = AllocSetContextCreate(TopTransactionContext,
									   "tracking_fdw outbox",
									   ALLOCSET_DEFAULT_SIZES);
	outbox.level = GetCurrentTransactionNestLevel();
	outbox.max_bytes = max_bytes;
	outbox.max_held = FIRST_HELD;
	outbox.held = MemoryContextAlloc(outbox.cxt,
									 sizeof(HeldRecord) * FIRST_HELD);
	return true;
}

MemoryContext
stream_outbox_context(void)
{
	return outbox.cxt;
}

StreamWriter *
stream_outbox_writer(Oid relid, Oid userid)
{
	ListCell   *cell;

	foreach(cell, outbox.writers)
	{
		const OutboxWriter *known = lfirst(cell);

		if (known->relid == relid && known->userid == userid)
			return known->writer;
	}
	return NULL;
}

void
stream_outbox_add_writer(Oid relid, Oid userid, StreamWriter *writer)
{
	MemoryContext old = MemoryContextSwitchTo(outbox.cxt);
	OutboxWriter *added = palloc(sizeof(OutboxWriter));

	added->relid = relid;
	added->userid = userid;
	added->writer = writer;
	outbox.writers = lappend(outbox.writers, added);
	MemoryContextSwitchTo(old);
}

/*
 * Send the records that are not sent yet, but for as many of each content as
 * earlier attempts have sent already.
 */
static void
send_held(void)
{
	ListCell   *cell;

	for (int i = outbox.n_sent; i < outbox.n_held; i++)
	{
		HeldRecord *record = &outbox.held[i];
		SentContent *content = content_of(record);

		record->content = content;
		if (++content->wanted > list_length(content->sent.results))
			stream_writer_add(record->writer, record->row, &record->put,
							  &content->sent);
	}
	foreach(cell, outbox.writers)
		stream_writer_flush(((OutboxWriter *) lfirst(cell))->writer);
	for (; outbox.n_sent < outbox.n_held; outbox.n_sent++)
		free_record(&outbox.held[outbox.n_sent]);
	outbox.bytes = 0;
}

void
stream_outbox_add(StreamWriter *writer, int64 row,
				  const KinesisPutRecord *record)
{
	MemoryContext old = MemoryContextSwitchTo(outbox.cxt);
	HeldRecord	added = {
		.writer = writer,
		.row = row,
		.level = GetCurrentTransactionNestLevel(),
		.put.data_bytes = record->data_bytes
	};

	if (outbox.n_held == outbox.max_held)
	{
		outbox.held = repalloc_huge(outbox.held, sizeof(HeldRecord) *
									outbox.max_held * 2);
		outbox.max_held *= 2;
	}
	added.put.data = memcpy(palloc(Max(record->data_bytes, 1)), record->data,
							record->data_bytes);
	if (record->partition_key != NULL)
		added.put.partition_key = pstrdup(record->partition_key);
	if (record->explicit_hash_key != NULL)
		added.put.explicit_hash_key = pstrdup(record->explicit_hash_key);
	outbox.held[outbox.n_held++] = added;
	outbox.bytes += held_bytes(&added);
	MemoryContextSwitchTo(old);
	if (outbox.bytes > outbox.max_bytes)
		send_held();
}

const KinesisPutResult *
stream_outbox_send(void)
{
	const SentContent *content;

	send_held();
	content = outbox.held[outbox.n_held - 1].content;
	return list_nth(content->sent.results, content->wanted - 1);
}

void
stream_outbox_publish(void)
{
	HOLD_INTERRUPTS();
	send_held();
	RESUME_INTERRUPTS();
	close_outbox();
	published = true;
}
