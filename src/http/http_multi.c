/*
 * http_multi.c
 *	  The process's multi handle of libcurl: its sockets, timer and waits.
 *
 * libcurl tells us which sockets to watch and when to call it again.  We put
 * the sockets into an epoll set of our own, and that set's descriptor into one
 * WaitEventSet with the process latch.  So the WaitEventSet never changes,
 * however many sockets there are.
 */
#include "postgres.h"

#include <limits.h>
#include <signal.h>
#include <sys/epoll.h>

#include "miscadmin.h"
#include "storage/fd.h"
#include "storage/latch.h"

#include "base/clock.h"
#include "base/compat.h"
#include "http/http_multi.h"

/*
 * Most connections open at once, in use or kept for the next exchange: one for
 * every shard of a large stream, but no more than a fifth of the process's
 * descriptors (fd.c grants a third to all users but itself).  Further
 * exchanges wait for a free connection.
 */
#define HTTP_CONNECTIONS Min(256, max_safe_fds / 5)

/*
 * Sockets served in one turn, before interrupts are served again.  Few, so
 * that the data is still in the processor's cache when progress functions read
 * it.
 */
#define HTTP_EVENTS 16

static struct
{
	CURLM	   *multi;			/* NULL until first used */
	int			epoll_fd;		/* libcurl's sockets; -1 until first used */
	WaitEventSet *wait_set;		/* the latch and epoll_fd */
	int64		timer_at;		/* when to call libcurl; -1: never */
	int			n_running;		/* see http_multi_running() */
}			room = {

	.epoll_fd = -1,
	.timer_at = -1
};

/*
 * libcurl's callback: watch a socket, or watch it no longer.  If epoll refuses
 * the socket, its exchange ends by its timeout.
 */
static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct epoll_event event = {0};

	(void) easy;
	(void) arg;
	(void) socket_arg;

	event.data.fd = fd;
	if (what & CURL_POLL_IN)
		event.events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		event.events |= EPOLLOUT;

	/*
	 * libcurl may have closed a descriptor and got the same number again, so
	 * that a socket which it wants changed can be new to epoll.  Mostly it is
	 * new: libcurl removes the socket of a kept connection after each
	 * exchange, and adds it again for the next one.
	 */
	if (what == CURL_POLL_REMOVE)
		(void) epoll_ctl(room.epoll_fd, EPOLL_CTL_DEL, fd, &event);
	else if (epoll_ctl(room.epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 &&
			 errno == EEXIST)
		(void) epoll_ctl(room.epoll_fd, EPOLL_CTL_MOD, fd, &event);

	return 0;
}

/* libcurl's callback: call it again after timeout_ms (-1: never). */
static int
on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	(void) multi;
	(void) arg;

	room.timer_at = timeout_ms < 0 ? -1 : clock_now_ms() + timeout_ms;
	return 0;
}

static void
check_multi(CURLMcode code)
{
	if (code != CURLM_OK)
		ereport(ERROR,
				(errcode(code == CURLM_OUT_OF_MEMORY ? ERRCODE_OUT_OF_MEMORY :
						 ERRCODE_FDW_ERROR),
				 errmsg("libcurl failed: %s", curl_multi_strerror(code))));
}

static void
open_multi(void)
{
	CURLM	   *multi;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
		(multi = curl_multi_init()) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not initialize libcurl")));

	check_multi(curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket));
	check_multi(curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer));
	check_multi(curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS,
								  (long) HTTP_CONNECTIONS));
	check_multi(curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
								  (long) HTTP_CONNECTIONS));
	room.multi = multi;
}

static void
open_epoll(void)
{
	if (!AcquireExternalFD())
		ereport(ERROR,
				(errcode_for_socket_access(),
				 errmsg("could not reserve a file descriptor: %m")));

	room.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (room.epoll_fd < 0)
	{
		int			save_errno = errno;

		ReleaseExternalFD();
		errno = save_errno;
		ereport(ERROR,
				(errcode_for_socket_access(),
				 errmsg("could not create an epoll set: %m")));
	}
}

/*
 * If a step fails, the next call tries it again.  Not to be called in the
 * postmaster: libcurl's threads and OpenSSL's state would not survive the
 * fork.
 */
void
http_multi_open(void)
{
	WaitEventSet *set;

	if (room.wait_set != NULL)
		return;
	if (IsPostmasterEnvironment && !IsUnderPostmaster)
		elog(ERROR, "HTTP is not for the postmaster");

	if (room.multi == NULL)
		open_multi();
	if (room.epoll_fd < 0)
		open_epoll();

	set = compat_wait_event_set(3);
	AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	if (IsUnderPostmaster)
		AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL,
						  NULL);
	AddWaitEventToSet(set, WL_SOCKET_READABLE, room.epoll_fd, NULL, NULL);
	room.wait_set = set;
}

void
http_multi_add(CURL *easy)
{
	check_multi(curl_multi_add_handle(room.multi, easy));
	room.n_running++;
}

void
http_multi_remove(CURL *easy)
{
	curl_multi_remove_handle(room.multi, easy);
	room.n_running--;
}

int
http_multi_running(void)
{
	return room.n_running;
}

/*
 * Let libcurl serve the sockets that are ready, and its timer if that is due.
 * All signals are blocked meanwhile: libcurl may start a thread to look up a
 * host's name, the thread inherits the signal mask, and no signal handler of
 * the server may run in it.
 */
void
http_multi_perform(void)
{
	struct epoll_event events[HTTP_EVENTS];
	sigset_t	all;
	sigset_t	before;
	CURLMcode	code = CURLM_OK;
	int			n_events;
	int			n_running;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);

	n_events = epoll_wait(room.epoll_fd, events, HTTP_EVENTS, 0);
	for (int i = 0; i < n_events && code == CURLM_OK; i++)
	{
		int			ready = 0;

		if (events[i].events & EPOLLIN)
			ready |= CURL_CSELECT_IN;
		if (events[i].events & EPOLLOUT)
			ready |= CURL_CSELECT_OUT;
		if (events[i].events & (EPOLLERR | EPOLLHUP))
			ready |= CURL_CSELECT_ERR;
		code = curl_multi_socket_action(room.multi, events[i].data.fd, ready,
										&n_running);
	}
	if (code == CURLM_OK && room.timer_at >= 0 &&
		room.timer_at <= clock_now_ms())
	{
		room.timer_at = -1;
		code = curl_multi_socket_action(room.multi, CURL_SOCKET_TIMEOUT, 0,
										&n_running);
	}

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	check_multi(code);
}

CURL *
http_multi_next_ended(CURLcode *code)
{
	CURLMsg    *message;
	int			n_left;

	while ((message = curl_multi_info_read(room.multi, &n_left)) != NULL)
	{
		if (message->msg != CURLMSG_DONE)
			continue;
		*code = message->data.result;
		return message->easy_handle;
	}
	return NULL;
}

bool
http_multi_wait(int64 deadline)
{
	static uint32 wait_event = 0;
	WaitEvent	events[2];
	long		timeout_ms = -1;
	bool		latch_set = false;
	int			n_events;

	if (room.timer_at >= 0 && (deadline < 0 || room.timer_at < deadline))
		deadline = room.timer_at;
	if (deadline >= 0)
		timeout_ms = Min(Max(deadline - clock_now_ms(), 0), INT_MAX);

	n_events = WaitEventSetWait(room.wait_set, timeout_ms, events,
								lengthof(events),
								compat_wait_event(&wait_event,
												  "TrackingFdwHttp"));
	for (int i = 0; i < n_events; i++)
		latch_set |= (events[i].events & WL_LATCH_SET) != 0;
	if (latch_set)
	{
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	return latch_set;
}
