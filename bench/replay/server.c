/*
 * server.c
 *	  replay [--tls CERT KEY] NAME=FILE...
 *
 * Serves streams of these contents on the loopback interface, over HTTP and,
 * with a certificate, over TLS; prints the addresses as a line of JSON.  One
 * thread, epoll.  An answer is never in memory as a whole: each connection
 * has a buffer, into which records are copied as it drains.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "replay.h"
#include "socket.h"

#define REQUEST_BYTES (64 * 1024)
/* Fits the processor's cache; a longer record makes the buffer larger. */
#define BUFFER_BYTES (256 * 1024)
#define EVENTS 64

typedef struct Connection
{
	Socket		socket;
	char		request[REQUEST_BYTES];
	size_t		request_bytes;

	bool		answering;
	Answer		answer;
	size_t		sent;			/* bytes of the answer */
	bool		tail_written;
	char	   *buffer;
	size_t		begin;			/* buffer has the bytes to send, up to end */
	size_t		end;
} Connection;

static int	epoll_fd;
static size_t buffer_bytes;

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

/* ----------------------------------------------------------------
 * Requests
 * ---------------------------------------------------------------- */

/* A header's value, up to the end of its line. */
static const char *
header(const char *head, size_t head_bytes, const char *name, size_t *len)
{
	size_t		name_len = strlen(name);
	const char *line = head;

	while ((line = memmem(line, head + head_bytes - line, "\r\n", 2)) != NULL)
	{
		line += 2;
		if (strncasecmp(line, name, name_len) == 0 && line[name_len] == ':')
		{
			const char *value = line + name_len + 1;

			value += strspn(value, " ");
			*len = strcspn(value, "\r");
			return value;
		}
	}
	*len = 0;
	return NULL;
}

/* Begin to answer the request that has come, if it has come whole. */
static void
take_request(Connection *c)
{
	const char *head_end;
	const char *value;
	size_t		head_bytes;
	size_t		len;
	size_t		body_bytes = 0;
	size_t		whole;

	c->request[c->request_bytes] = '\0';
	head_end = memmem(c->request, c->request_bytes, "\r\n\r\n", 4);
	if (head_end == NULL)
		return;
	head_bytes = head_end + 4 - c->request;
	value = header(c->request, head_bytes, "Content-Length", &len);
	if (value != NULL)
		body_bytes = strtoul(value, NULL, 10);
	whole = head_bytes + body_bytes;
	if (c->request_bytes < whole)
		return;

	value = header(c->request, head_bytes, "X-Amz-Target", &len);
	api_answer(value, len, c->request + head_bytes, body_bytes, &c->answer);
	c->answering = true;
	c->sent = 0;
	c->tail_written = false;
	memcpy(c->buffer, c->answer.head, c->answer.head_bytes);
	c->begin = 0;
	c->end = c->answer.head_bytes;
	free(c->answer.head);

	memmove(c->request, c->request + whole, c->request_bytes - whole);
	c->request_bytes -= whole;
}

/* ----------------------------------------------------------------
 * Answers
 * ---------------------------------------------------------------- */

/* Append as much of the rest of the answer to the buffer as fits. */
static void
fill(Connection *c)
{
	Slice	   *slice = &c->answer.slice;
	size_t		room;

	if (c->begin == c->end)
		c->begin = c->end = 0;
	if (slice->first < slice->end)
		c->end +=
			content_write(slice, c->buffer + c->end, buffer_bytes - c->end);
	room = buffer_bytes - c->end;
	if (slice->first >= slice->end && !c->tail_written &&
		room >= c->answer.tail_bytes)
	{
		memcpy(c->buffer + c->end, c->answer.tail, c->answer.tail_bytes);
		c->end += c->answer.tail_bytes;
		c->tail_written = true;
	}
}

static Io
send_answer(Connection *c)
{
	for (;;)
	{
		size_t		bytes;
		Io			result;

		fill(c);
		if (c->begin == c->end)
			break;
		bytes = c->end - c->begin;
		if (c->answer.cut_after > 0)
		{
			if (c->sent >= c->answer.cut_after)
				return IO_CLOSED;
			if (bytes > c->answer.cut_after - c->sent)
				bytes = c->answer.cut_after - c->sent;
		}
		result = socket_send(&c->socket, c->buffer + c->begin, &bytes);
		if (result != IO_DONE)
			return result;
		c->begin += bytes;
		c->sent += bytes;
	}
	c->answering = false;
	return IO_DONE;
}

/* ----------------------------------------------------------------
 * Connections
 * ---------------------------------------------------------------- */

static void
close_connection(Connection *c)
{
	socket_close(&c->socket);
	free(c->buffer);
	free(c);
}

/* Receive, answer and send until the connection would block. */
static Io
advance(Connection *c)
{
	Io			result = socket_handshake(&c->socket);

	if (result != IO_DONE)
		return result;
	for (;;)
	{
		size_t		room;

		if (!c->answering)
			take_request(c);
		if (c->answering)
		{
			result = send_answer(c);
			if (result != IO_DONE)
				return result;
			continue;
		}
		room = REQUEST_BYTES - 1 - c->request_bytes;
		if (room == 0)
			return IO_CLOSED;
		result =
			socket_receive(&c->socket, c->request + c->request_bytes, &room);
		if (result != IO_DONE)
			return result;
		c->request_bytes += room;
	}
}

static void
watch(int fd, void *data, uint32_t events)
{
	struct epoll_event event = {.events = events,.data.ptr = data};

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
		die("epoll_ctl");
}

static void
accept_connection(int listener, bool secure)
{
	int			fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	int			on = 1;
	Connection *c;

	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c = malloc(sizeof(Connection));
	c->buffer = malloc(buffer_bytes);
	if (c->buffer == NULL)
		die("malloc");
	c->request_bytes = 0;
	c->answering = false;
	c->begin = c->end = 0;
	socket_open(&c->socket, fd, secure);
	/* edges are enough: a connection goes on until it would block */
	watch(fd, c, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

static int
listen_on_loopback(int *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	socklen_t	len = sizeof(address);
	int			fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *) &address, len) != 0 ||
		listen(fd, 1024) != 0 ||
		getsockname(fd, (struct sockaddr *) &address, &len) != 0)
		die("listen");
	*port = ntohs(address.sin_port);
	return fd;
}

static void
serve(int *plain, int *secure)
{
	struct epoll_event events[EVENTS];

	for (;;)
	{
		int			n = epoll_wait(epoll_fd, events, EVENTS, -1);

		for (int i = 0; i < n; i++)
		{
			void	   *data = events[i].data.ptr;

			if (data == plain)
				accept_connection(*plain, false);
			else if (data == secure)
				accept_connection(*secure, true);
			else if (advance(data) == IO_CLOSED)
				close_connection(data);
		}
	}
}

static void
load(const char *argument)
{
	const char *equals = strchr(argument, '=');
	char		name[NAME_BYTES];

	if (equals == NULL || equals - argument >= NAME_BYTES)
	{
		fprintf(stderr, "usage: replay [--tls CERT KEY] NAME=FILE...\n");
		exit(2);
	}
	snprintf(name, sizeof(name), "%.*s", (int) (equals - argument), argument);
	content_load(name, equals + 1);
}

int
main(int argc, char **argv)
{
	int			plain;
	int			secure;
	int			port;
	int			next = 1;
	bool		with_tls = argc > 3 && strcmp(argv[1], "--tls") == 0;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGPIPE, SIG_IGN);
	if (with_tls)
	{
		socket_init_tls(argv[2], argv[3]);
		next = 4;
	}
	for (; next < argc; next++)
		load(argv[next]);
	/* room for a head or a tail besides the longest record */
	buffer_bytes = content_longest() + 4096;
	if (buffer_bytes < BUFFER_BYTES)
		buffer_bytes = BUFFER_BYTES;

	epoll_fd = epoll_create1(0);
	plain = listen_on_loopback(&port);
	watch(plain, &plain, EPOLLIN);
	printf("{\"url\": \"http://127.0.0.1:%d\"", port);
	if (with_tls)
	{
		secure = listen_on_loopback(&port);
		watch(secure, &secure, EPOLLIN);
		printf(", \"tls_url\": \"https://127.0.0.1:%d\"", port);
	}
	printf("}\n");
	fflush(stdout);
	serve(&plain, &secure);
}
