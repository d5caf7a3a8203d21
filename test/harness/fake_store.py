"""A server that speaks as much of PostgreSQL's protocol as it takes to be told
a password in clear, and answers as no PostgreSQL would."""
import socket
import struct
import threading

from .postgres_proxy import Lost, message, read


def packet(kind, payload):
    return kind + struct.pack('!I', len(payload) + 4) + payload


def words(kind, sqlstate, text):
    """An error ('E') or a notice ('N') that says text in each of its fields."""
    fields = [(b'S', b'ERROR'), (b'V', b'ERROR'), (b'C', sqlstate),
              *((field, text) for field in (b'M', b'D', b'H', b'W'))]
    return packet(kind, b''.join(f + value + b'\0' for f, value in fields) + b'\0')


def rows(values):
    """The result of a query: a row of one column for each value, in bytes."""
    column = b'c\0' + struct.pack('!IHIhih', 0, 0, 25, -1, -1, 0)
    return b''.join([packet(b'T', struct.pack('!H', 1) + column),
                     *(packet(b'D', struct.pack('!HI', 1, len(value)) + value)
                       for value in values),
                     packet(b'C', b'FETCH %d\0' % len(values))])


class FakeStore:
    """say(password), bytes, is in all errors and notices.  With login=False it
    refuses the password; else it refuses DECLARE, or, if there are values,
    fetches these."""

    def __init__(self, say=lambda password: b'', login=True, values=None):
        self.say, self.login, self.values = say, login, values
        self._listener = socket.create_server(('127.0.0.1', 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client:
            try:
                self._talk(client)
            except (Lost, OSError):
                pass

    def _talk(self, client):
        head = read(client, 4)
        read(client, struct.unpack('!I', head)[0] - 4)
        client.sendall(packet(b'R', struct.pack('!I', 3)))
        said = self.say(message(client)[5:-1])
        if not self.login:
            client.sendall(words(b'E', b'28P01', said))
            return
        ready = packet(b'Z', b'I')
        status = packet(b'S', b'server_version\x0015.0\0')
        client.sendall(packet(b'R', struct.pack('!I', 0)) + status +
                       words(b'N', b'00000', said) + ready)
        while True:
            asked = message(client)
            if asked[:1] == b'X':
                return
            if asked[5:].startswith(b'DECLARE') and self.values is None:
                client.sendall(words(b'E', b'P0001', said) + ready)
            elif asked[5:].startswith(b'FETCH'):
                client.sendall(rows(self.values) + ready)
            else:
                tag = asked[5:-1].split()[0] + b'\0'
                client.sendall(words(b'N', b'00000', said) + packet(b'C', tag) + ready)
