"""An HTTP server that writes down what comes in, byte for byte, as one that
trusts what it is sent would read it."""
import socket
import threading


class Recorder:
    """answer(head, body) is the whole answer to a request: bytes."""

    def __init__(self, answer):
        self.answer = answer
        self.requests = []          # pairs of head and body
        self.n_open = 0             # connections whose end was not yet read
        self._listener = socket.create_server(('127.0.0.1', 0), backlog=64)
        self.url = f'http://127.0.0.1:{self._listener.getsockname()[1]}'
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            self.n_open += 1
            threading.Thread(target=self._serve, args=(conn,), daemon=True).start()

    def _serve(self, conn):
        with conn, conn.makefile('rb') as stream:
            try:
                while self._request(stream):
                    conn.sendall(self.answer(*self.requests[-1]))
            except OSError:
                pass
        self.n_open -= 1

    def _request(self, stream):
        head = b''
        while not head.endswith(b'\r\n\r\n'):
            line = stream.readline()
            if not line:
                return False
            head += line
        length = head.lower().partition(b'content-length:')[2].split(b'\r\n')[0]
        self.requests.append((head, stream.read(int(length or 0))))
        return True


def answer(status, body, *headers):
    """An answer of HTTP."""
    lines = [f'HTTP/1.1 {status} Whatever', f'Content-Length: {len(body)}', *headers]
    return '\r\n'.join(lines).encode() + b'\r\n\r\n' + body
