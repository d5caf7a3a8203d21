"""A proxy in front of a store that is PostgreSQL, which fails as a stand-in
for Redshift does: see redshift.faults.

An operation is 'commit', or 'copied', which is the end of a COPY FROM STDIN.
Clients need no password and no TLS.
"""
import socket
import struct
import threading

from .redshift.faults import Cut, Faults

ROLE = 'trusted'


class Lost(Exception):
    """One side has gone."""


def read(sock, n_bytes):
    data = b''
    while len(data) < n_bytes:
        piece = sock.recv(n_bytes - len(data))
        if not piece:
            raise Lost
        data += piece
    return data


def message(sock):
    head = read(sock, 5)
    return head + read(sock, struct.unpack('!I', head[1:])[0] - 4)


class PostgresProxy(Faults):
    def __init__(self, port):
        super().__init__()
        self._backend = ('127.0.0.1', port)
        self._listener = socket.create_server(('127.0.0.1', 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.clear()
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
        with client, socket.create_connection(self._backend) as server:
            for sock in (client, server):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self._start(client, server)
                while True:
                    self._pass_on(client, server, message(client))
            except Cut:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            except (Lost, OSError):
                pass

    def _start(self, client, server):
        head = read(client, 4)
        server.sendall(head + read(client, struct.unpack('!I', head)[0] - 4))
        client.sendall(self._answer(server))

    @staticmethod
    def _answer(server):
        """All of an answer: until it is the client's turn."""
        found = b''
        while True:
            try:
                each = message(server)
            except Lost:
                if not found:
                    raise
                return found        # to a request to cancel, or its last words
            found += each
            if each[:1] in b'ZG':
                return found

    @staticmethod
    def _operation(asked):
        if asked[:1] == b'c':
            return 'copied'
        return 'commit' if asked[5:] == b'COMMIT\0' else 'other'

    def _pass_on(self, client, server, asked):
        def do():
            server.sendall(asked)
            return self._answer(server)
        if asked[:1] not in b'QSc':     # no answer is due
            server.sendall(asked)
            return
        rule = self.arrived(self._operation(asked))
        if rule is None:
            client.sendall(do())
        else:
            rule.apply(do, client.sendall)
