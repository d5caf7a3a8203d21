/*
 * remote.c
 *	  The other end of connections.
 *
 * The functions of the C library that are defined here come before its own,
 * also for libpq and libcurl; and one of base/clock.c.
 */
#include "remote.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Answers of one input */
#define SAYINGS 64

/* Connections of one input */
#define CONNECTIONS 64

typedef struct Saying
{
	const char *data;
	size_t		size;
	bool		last_word;
	bool		later;			/* a piece of the one before it */
} Saying;

typedef struct Connection
{
	int			fd;
	int			other_end;
	size_t		missing;		/* bytes of a request over HTTP */
	int			next;			/* the saying whose turn it is, if a piece */
} Connection;

static Saying sayings[SAYINGS];
static int	n_sayings = 0;
static int	n_said = 0;
static Connection connections[CONNECTIONS];
static int	n_connections = 0;
static int64_t skipped_ms = 0;

void
remote_say(const char *data, size_t size, bool last_word)
{
	Saying		saying = {data, size, last_word, false};

	if (n_sayings < SAYINGS)
		sayings[n_sayings++] = saying;
}

void
remote_say_later(const char *data, size_t size)
{
	Saying		saying = {data, size, false, true};

	if (n_sayings < SAYINGS)
		sayings[n_sayings++] = saying;
}

void
remote_end(void)
{
	while (n_connections > 0)
		close(connections[--n_connections].other_end);
	n_sayings = 0;
	n_said = 0;
}

int
connect(int fd, const struct sockaddr *address, socklen_t size)
{
	Connection	connection = {
		.fd = fd,
		.next = SAYINGS
	};
	int			ends[2];

	(void) address;
	(void) size;
	require(n_connections < CONNECTIONS);
	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	fcntl(ends[0], F_SETFL, fcntl(fd, F_GETFL));
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	require(dup2(ends[0], fd) == fd);
	close(ends[0]);
	connection.other_end = ends[1];
	connections[n_connections++] = connection;
	return 0;
}

/* What does not fit is left out. */
static void
say(int end, const Saying *saying)
{
	if (saying->size > 0)
		(void) !write(end, saying->data, saying->size);
	if (saying->last_word)
		shutdown(end, SHUT_WR);
}

static void
answer(Connection *connection)
{
	while (n_said < n_sayings && sayings[n_said].later)
		n_said++;
	if (n_said < n_sayings)
		say(connection->other_end, &sayings[n_said++]);
	else
		shutdown(connection->other_end, SHUT_WR);
	connection->next = n_said;
}

/* Is there a piece of an answer that was waited for? */
static bool
go_on(void)
{
	bool		any = false;

	for (int i = 0; i < n_connections; i++)
	{
		Connection *connection = &connections[i];

		if (connection->next >= n_sayings || !sayings[connection->next].later)
			continue;
		say(connection->other_end, &sayings[connection->next++]);
		any = true;
	}
	return any;
}

/* What a request over HTTP has behind this first piece of it. */
static size_t
missing_bytes(const char *data, size_t size)
{
	const char *end = memmem(data, size, "\r\n\r\n", 4);
	const char *length;

	if (end == NULL)
		return 0;
	length = memmem(data, end - data, "Content-Length: ", 16);
	return length == NULL ? 0 :
		strtoul(length + 16, NULL, 10) - (size_t) (data + size - (end + 4));
}

/* So much was sent: once it is all of a request, there is an answer. */
static void
take(Connection *connection, const char *data, size_t size)
{
	char		sent[4096];

	while (recv(connection->other_end, sent, sizeof(sent), 0) > 0)
		;
	if (connection->missing == 0)
		connection->missing = missing_bytes(data, size);
	else
		connection->missing -= size;
	if (connection->missing == 0)
		answer(connection);
}

ssize_t
send(int fd, const void *data, size_t size, int flags)
{
	ssize_t		sent = sendto(fd, data, size, flags, NULL, 0);
	int			i = n_connections - 1;

	/* of the same number the last one is the one that is open */
	while (i >= 0 && connections[i].fd != fd)
		i--;
	if (i < 0)
		return sent;
	if (!(fcntl(fd, F_GETFL) & O_NONBLOCK))
		shutdown(connections[i].other_end, SHUT_WR);
	else if (sent > 0)
		take(&connections[i], data, sent);
	return sent;
}

/* Nobody is waited for who will say nothing, nor for a time to come. */
int
epoll_wait(int epoll, struct epoll_event *events, int max, int timeout)
{
	int			n = epoll_pwait(epoll, events, max, 0, NULL);

	if (n != 0 || timeout == 0)
		return n;
	if (!go_on())
		for (int i = 0; i < n_connections; i++)
			shutdown(connections[i].other_end, SHUT_WR);
	n = epoll_pwait(epoll, events, max, timeout < 0 ? timeout : 0, NULL);
	if (n == 0)
		skipped_ms += timeout;
	return n;
}

int64_t		clock_now_ms(void);

int64_t
clock_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000 + skipped_ms;
}
