/*
 * preload.c
 *	  What is to happen before a server's main(), by LD_PRELOAD.
 *
 * When a program is loaded there are no memory contexts yet.  The server makes
 * them before it sets its first locale.
 *
 * To be linked with -z initfirst: the sanitizer gets ready at the first
 * malloc, and looks for symbols then, which needs a lock of the C library that
 * the initialization of libgpg-error would hold.
 */
#include "postgres.h"

#include <dlfcn.h>
#include <locale.h>
#include <stdlib.h>

#include "guard.h"
#include "utils/memutils.h"

__attribute__((constructor))
static void
wake_sanitizer(void)
{
	void	   *volatile chunk = malloc(1);

	free(chunk);
}

char *
setlocale(int category, const char *locale)
{
	static char *(*real) (int category, const char *locale) = NULL;

	if (real == NULL)
		real = (char *(*) (int, const char *)) dlsym(RTLD_NEXT, "setlocale");
	if (TopMemoryContext != NULL)
		guard_memory();
	return real(category, locale);
}
