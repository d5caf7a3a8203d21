/*
 * socket.h
 *	  A connection's bytes, plain or through TLS; nothing blocks.
 */
#ifndef REPLAY_SOCKET_H
#define REPLAY_SOCKET_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct Socket
{
	int			fd;
	SSL		   *ssl;			/* NULL: plain */
	bool		established;
} Socket;

typedef enum Io
{
	IO_DONE, IO_WAIT, IO_CLOSED
} Io;

/* Called once, before the first socket is opened as secure. */
extern void socket_init_tls(const char *cert, const char *key);

extern void socket_open(Socket *socket, int fd, bool secure);
extern void socket_close(Socket *socket);

/* Called after socket_open(), until it is done. */
extern Io	socket_handshake(Socket *socket);

/*
 * *bytes is the number of bytes to receive at most, or to send; set to how
 * many were received or sent.
 */
extern Io	socket_receive(Socket *socket, char *into, size_t *bytes);
extern Io	socket_send(Socket *socket, const char *from, size_t *bytes);

#endif							/* REPLAY_SOCKET_H */
