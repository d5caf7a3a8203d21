/*
 * server.c
 *	  The server's own code around what is fuzzed.
 */
#include "server.h"

#include <string.h>
#include <unistd.h>

#include "../sanitize/guard.h"
#include "catalog/pg_authid.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/guc.h"
#include "utils/memutils.h"

typedef struct Run
{
	void		(*body) (const char *data, size_t size);
	const char *data;
	size_t		size;
} Run;

const char *__asan_default_options(void);
const char *__lsan_default_options(void);

/* What is poisoned is still in use, by us: see guard.c. */
const char *
__lsan_default_options(void)
{
	return "use_poisoned=1";
}

const char *
__asan_default_options(void)
{
	return "malloc_context_size=8";
}

static void
start(void)
{
	static Latch latch;

	MyProcPid = getpid();
	MemoryContextInit();
	guard_memory();
	/* where the names of time zones are is told by where the server is */
	strlcpy(my_exec_path, SERVER_BINDIR "/postgres", MAXPGPATH);
	InitializeGUCOptions();
	SetConfigOption("timezone_abbreviations", "Default", PGC_SUSET,
					PGC_S_OVERRIDE);
	SetDatabaseEncoding(PG_UTF8);
	SetUserIdAndSecContext(BOOTSTRAP_SUPERUSERID, 0);
	InitializeLatchSupport();
	InitLatch(&latch);
	MyLatch = &latch;
	InitializeLatchWaitSet();
	/* nothing is to be printed but what the fuzzer has to say */
	SetConfigOption("log_min_messages", "panic", PGC_SUSET, PGC_S_OVERRIDE);
}

ErrorData *
server_try(ServerBody body, void *arg)
{
	MemoryContext cxt = CurrentMemoryContext;
	ErrorData  *volatile error = NULL;

	PG_TRY();
	{
		body(arg);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(cxt);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(cxt);
	return error;
}

static void
run_input(void *arg)
{
	Run		   *run = arg;

	run->body(run->data, run->size);
}

bool
server_is_text(const char *text)
{
	return text == NULL || pg_verify_mbstr(PG_UTF8, text, strlen(text), true);
}

bool
server_error_is_sound(const ErrorData *error)
{
	return error->sqlerrcode != ERRCODE_INTERNAL_ERROR &&
		error->sqlerrcode != 0 && error->message != NULL &&
		server_is_text(error->message) && server_is_text(error->detail) &&
		server_is_text(error->hint) && server_is_text(error->context);
}

int
server_input(void (*body) (const char *data, size_t size),
			 const uint8_t *data, size_t size)
{
	char	   *copy = malloc(size);
	Run			run = {body, copy, size};
	MemoryContext cxt;
	ErrorData  *error;

	if (TopMemoryContext == NULL)
		start();
	if (size > 0)
		memcpy(copy, data, size);
	cxt = AllocSetContextCreate(TopMemoryContext, "input",
								ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(cxt);
	error = server_try(run_input, &run);
	require(error == NULL || server_error_is_sound(error));
	MemoryContextSwitchTo(TopMemoryContext);
	MemoryContextDelete(cxt);
	free(copy);
	return 0;
}

bool
input_cut(Input *rest, char end, Input *piece)
{
	const char *found;

	if (rest->len == 0)
		return false;
	found = memchr(rest->start, end, rest->len);
	piece->start = rest->start;
	piece->len = found == NULL ? rest->len : (size_t) (found - rest->start);
	rest->start += piece->len + (found != NULL);
	rest->len -= piece->len + (found != NULL);
	return true;
}

char *
input_string(const Input *piece)
{
	return pnstrdup(piece->start, piece->len);
}

char *
input_text(const char *data, size_t size)
{
	char	   *text = palloc(size);
	size_t		valid;

	memcpy(text, data, size);
	while ((valid = pg_encoding_verifymbstr(PG_UTF8, text, size)) < size)
		text[valid] = 'a' + (unsigned char) text[valid] % 26;
	return text;
}
