"""The HTTP room: exchanges at once, failures told apart, interrupts, clean-up."""
import os
import socket
import threading
import time

import psycopg
import pytest

OK, CANNOT_CONNECT, UNTRUSTED, BROKEN, TIMED_OUT, TOO_LARGE, _, BAD_REQUEST = range(8)


class Scripted:
    """A server that does what a function of the connection says, each time a
    request has come in whole."""

    def __init__(self, script):
        self.script = script
        self.requests, self.n_connections, self.n_closed = [], 0, 0
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=200)
        self.url = f'http://127.0.0.1:{self.listener.getsockname()[1]}'
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            self.n_connections += 1
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        with conn, conn.makefile('rb') as stream:
            try:
                while self.read_request(stream):
                    self.script(conn)
            except OSError:
                pass
        self.n_closed += 1

    def read_request(self, stream):
        head = b''
        while not head.endswith(b'\r\n\r\n'):
            line = stream.readline()
            if not line:
                return False
            head += line
        length = int(head.lower().partition(b'content-length:')[2].split(b'\r\n')[0])
        self.requests.append((head, stream.read(length)))
        return True


@pytest.fixture
def serve():
    servers = []

    def make(script):
        servers.append(Scripted(script if callable(script) else lambda conn: conn.sendall(script)))
        return servers[-1]
    yield make
    for server in servers:
        server.listener.close()


@pytest.fixture
def post(unit):
    def run(*urls, body=b'hello', max_bytes=1 << 20, connect_ms=5000, timeout_ms=5000, ca=None,
            header='x-answer'):
        return unit.execute('SELECT * FROM unit.http_post(%s, %s, %s, %s, %s, %s, %s)',
                            (list(urls), body, max_bytes, connect_ms, timeout_ms, ca,
                             header)).fetchall()
    return run


def answer(body=b'', *headers):
    head = [b'HTTP/1.1 200 OK', b'Content-Length: %d' % len(body), *headers]
    return b'\r\n'.join(head) + b'\r\n\r\n' + body


def closing(answer):
    def script(conn):
        conn.sendall(answer)
        conn.shutdown(socket.SHUT_RDWR)
    return script


def silent(conn):
    conn.recv(1)            # until the client gives up


# what is sent and what comes back

def test_request_and_answer(serve, post):
    server = serve(answer(b'bye\0\xff', b'X-Answer:  a b\t', b'Other: x'))
    body = bytes(range(256)) * 8000
    assert post(server.url, body=body) == [(1, OK, None, 200, b'bye\0\xff', 'a b\t')]
    head, sent = server.requests[0]
    assert sent == body
    lines = head.decode().split('\r\n')
    assert lines[0] == 'POST / HTTP/1.1'
    assert {'X-Test: yes', 'Content-Type: text/plain', f'Content-Length: {len(body)}'} <= {*lines}
    assert not any(line.lower().startswith(('expect', 'accept-encoding')) for line in lines)


def test_a_connection_is_used_again(serve, post):
    server = serve(answer(b'x'))
    for _ in range(5):
        assert post(server.url)[0][:2] == (1, OK)
    assert server.n_connections == 1


def test_an_answer_that_begins_within_a_header(serve, post):
    """libcurl before 8.1.1 would take it for the rest of the answer before.  That of
    today takes it for a header of its own; what follows is none to any of them."""
    begun_within = b'HTTP/1.1 200 OK\r\n a: b\r\nnone\r\n\r\n'
    answers = iter([answer(b'x', b'A: ' + b'b' * 4000), begun_within] * 20)
    server = serve(lambda conn: conn.sendall(next(answers)))
    for _ in range(20):
        assert post(server.url)[0][1] == OK
        assert post(server.url)[0][1] == BROKEN


def test_exchanges_run_at_once(serve, post):
    barrier = threading.Barrier(60)

    def script(conn):
        barrier.wait(10)
        conn.sendall(answer(b'x'))
    server = serve(script)
    assert sorted(row[0] for row in post(*[server.url] * 60)) == list(range(1, 61))


def test_results_come_in_order_of_arrival(serve, post, wait_until):
    fast = serve(answer(b'', b'Connection: close'))

    def script(conn):
        wait_until(lambda: fast.n_closed == 1)
        conn.sendall(answer())
    slow = serve(script)
    assert [row[0] for row in post(slow.url, fast.url)] == [2, 1]


@pytest.mark.parametrize('script, body', [
    (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
     b'abcde'),
    (closing(b'HTTP/1.1 200 OK\r\n\r\nto the end'), b'to the end'),
    (b'HTTP/1.1 100 Continue\r\nX-Answer: no\r\n\r\n' + answer(b'final'), b'final'),
    (answer(), b'')])
def test_forms_of_an_answer(serve, post, script, body):
    assert post(serve(script).url) == [(1, OK, None, 200, body, None)]


def test_statuses_are_answers(serve, post):
    moved = serve(b'HTTP/1.1 301 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n')
    error = serve(b'HTTP/1.1 503 X\r\nContent-Length: 4\r\n\r\nbusy')
    assert sorted(row[3:5] for row in post(moved.url, error.url)) == [(301, b''), (503, b'busy')]


def test_headers_beyond_the_room_for_them(serve, post):
    server = serve(answer(b'x', b'X-Long: ' + b'y' * 9000, b'X-Answer: here',
                          *[b'X-%d: %s' % (i, b'z' * 100) for i in range(100)]))
    assert post(server.url)[0][4:] == (b'x', 'here')
    assert post(server.url, header='x-long')[0][5] is None
    assert post(server.url, header='x-99')[0][5] is None


# failures

@pytest.mark.parametrize('form', ['announced', 'chunked', 'endless'])
@pytest.mark.parametrize('size, failure', [(100_000, OK), (100_001, TOO_LARGE)])
def test_a_bounded_body(serve, post, form, size, failure):
    body = b'x' * size
    server = serve({
        'announced': answer(body),
        'chunked': b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n'
                   % (size, body),
        'endless': closing(b'HTTP/1.1 200 OK\r\n\r\n' + body)}[form])
    row = post(server.url, max_bytes=100_000)[0]
    assert row[1] == failure
    assert row[4] == (body if failure == OK else None)


@pytest.mark.parametrize('script', [
    closing(b''), closing(b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'),
    closing(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab'),
    closing(b'SSH-2.0-OpenSSH\r\n'),
    closing(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot hex\r\n')])
def test_broken_connection(serve, post, script):
    row = post(serve(script).url)[0]
    assert row[1] == BROKEN and row[2] and row[3:5] == (0, None)


def test_no_answer_in_time(serve, post):
    began = time.monotonic()
    row = post(serve(silent).url, timeout_ms=300)[0]
    assert row[1] == TIMED_OUT
    assert 0.3 <= time.monotonic() - began < 3


def test_an_answer_that_does_not_end_in_time(serve, post):
    def script(conn):
        conn.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc')
        silent(conn)
    assert post(serve(script).url, timeout_ms=300)[0][1] == TIMED_OUT


@pytest.mark.parametrize('url, failure', [
    ('http://127.0.0.1:1/', CANNOT_CONNECT), ('http://no-such-host.invalid/', CANNOT_CONNECT),
    ('http://', BAD_REQUEST), ('http://h:notaport/', BAD_REQUEST),
    ('ftp://127.0.0.1/', BAD_REQUEST), ('file:///etc/passwd', BAD_REQUEST)])
def test_urls_that_lead_nowhere(post, url, failure):
    row = post(url)[0]
    assert row[1] == failure and row[2] and row[3:5] == (0, None)


def test_no_handshake(serve, post):
    server = serve(b'plain')
    url = server.url.replace('http:', 'https:')
    server.read_request = lambda stream: stream.read(1)
    assert post(url)[0][1] == CANNOT_CONNECT


def test_tls_is_verified(post, kinesalite, certificate, tmp_path):
    tmp_path.chmod(0o755)
    empty = tmp_path / 'empty.pem'
    empty.write_text('')
    port = kinesalite.tls_url.rpartition(':')[2]
    assert post(kinesalite.tls_url, ca=str(certificate.ca))[0][1] == OK
    assert post(kinesalite.tls_url)[0][1] == UNTRUSTED
    assert post(f'https://127.0.0.2:{port}', ca=str(certificate.ca))[0][1] in (
        UNTRUSTED, CANNOT_CONNECT)
    assert post(kinesalite.tls_url, ca='/no/such/file')[0][1] == BAD_REQUEST
    assert post(kinesalite.tls_url, ca=str(empty))[0][1] in (BAD_REQUEST, UNTRUSTED)
    # the connection that was trusted is not taken for one that need not be
    assert post(kinesalite.tls_url, ca=str(certificate.ca))[0][1] == OK
    assert post(kinesalite.tls_url)[0][1] == UNTRUSTED


# interrupts and clean-up

def test_cancel_ends_the_wait(serve, post, unit, wait_until):
    server = serve(silent)
    canceller = threading.Thread(target=lambda: (
        wait_until(lambda: server.requests, what='a request'), unit.cancel()))
    canceller.start()
    began = time.monotonic()
    with pytest.raises(psycopg.errors.QueryCanceled):
        post(server.url, timeout_ms=60_000)
    canceller.join()
    assert time.monotonic() - began < 5
    wait_until(lambda: server.n_closed == 1, what='the end of the connection')
    assert post(serve(answer(b'again')).url)[0][4] == b'again'


def test_statement_timeout_ends_the_wait(serve, post, unit):
    unit.execute("SET statement_timeout = '200ms'")
    try:
        with pytest.raises(psycopg.errors.QueryCanceled):
            post(serve(silent).url, timeout_ms=60_000)
    finally:
        unit.execute('RESET statement_timeout')


@pytest.mark.parametrize('drive_ms', [0, 200])
def test_an_exchange_ends_with_its_memory(serve, unit, wait_until, drive_ms):
    server = serve(silent)
    assert unit.execute('SELECT unit.http_abandon(%s, %s)',
                        (server.url, drive_ms)).fetchone() == (0,)
    wait_until(lambda: server.n_closed == server.n_connections, what='closed connections')


def test_exchanges_leave_no_descriptors(serve, post, unit, wait_until):
    pid = unit.info.backend_pid
    good, bad, slow = serve(answer(b'x')), serve(closing(b'')), serve(silent)

    def descriptors():
        return len(os.listdir(f'/proc/{pid}/fd'))
    post(good.url, bad.url)
    before = descriptors()
    for _ in range(20):
        post(*[bad.url] * 5, good.url, 'http://127.0.0.1:1/')
        unit.execute('SELECT unit.http_abandon(%s, 5)', (slow.url,))
    assert descriptors() <= before + 5


def test_more_exchanges_than_connections(serve, post):
    server = serve(answer(b'x'))
    rows = post(*[server.url] * 400, timeout_ms=30_000)
    assert sorted(row[0] for row in rows) == list(range(1, 401))
    assert {row[1] for row in rows} == {OK}
    assert server.n_connections <= 256
