/*
 * socket.c
 *	  A connection's bytes; see socket.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socket.h"

static SSL_CTX *tls;

void
socket_init_tls(const char *cert, const char *key)
{
	tls = SSL_CTX_new(TLS_server_method());
	if (tls == NULL || SSL_CTX_use_certificate_chain_file(tls, cert) != 1 ||
		SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1)
	{
		fprintf(stderr, "replay: cannot use %s and %s\n", cert, key);
		exit(1);
	}
	SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE |
					 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

void
socket_open(Socket *socket, int fd, bool secure)
{
	socket->fd = fd;
	socket->ssl = NULL;
	socket->established = !secure;
	if (secure)
	{
		socket->ssl = SSL_new(tls);
		SSL_set_fd(socket->ssl, fd);
	}
}

void
socket_close(Socket *socket)
{
	if (socket->ssl != NULL)
		SSL_free(socket->ssl);
	close(socket->fd);
}

static Io
tls_result(Socket *socket, int result)
{
	int			error = SSL_get_error(socket->ssl, result);

	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ?
		IO_WAIT : IO_CLOSED;
}

Io
socket_handshake(Socket *socket)
{
	int			result;

	if (socket->established)
		return IO_DONE;
	result = SSL_accept(socket->ssl);
	if (result <= 0)
		return tls_result(socket, result);
	socket->established = true;
	return IO_DONE;
}

Io
socket_receive(Socket *socket, char *into, size_t *bytes)
{
	ssize_t		n;

	if (socket->ssl != NULL)
	{
		n = SSL_read(socket->ssl, into, *bytes);
		if (n <= 0)
			return tls_result(socket, n);
	}
	else
	{
		n = recv(socket->fd, into, *bytes, 0);
		if (n < 0 && errno == EAGAIN)
			return IO_WAIT;
		if (n <= 0)
			return IO_CLOSED;
	}
	*bytes = n;
	return IO_DONE;
}

Io
socket_send(Socket *socket, const char *from, size_t *bytes)
{
	ssize_t		n;

	if (socket->ssl != NULL)
	{
		n = SSL_write(socket->ssl, from, *bytes);
		if (n <= 0)
			return tls_result(socket, n);
	}
	else
	{
		n = send(socket->fd, from, *bytes, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			return IO_WAIT;
		if (n < 0)
			return IO_CLOSED;
	}
	*bytes = n;
	return IO_DONE;
}
