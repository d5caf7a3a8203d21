"""A proxy in front of a Kinesis or S3 server that misbehaves to order.

    proxy.error('GetRecords', 'ProvisionedThroughputExceededException', every=3)
    held = proxy.hold('PutRecords', first=1)
    held.wait(); ...; held.release()

Which requests a fault hits is counted, never random: `first` N of them, or
`every` Nth, counted after the first `after` ones; without any of these, all.
`shard` limits a fault to GetRecords (and GetShardIterator) of one shard, `asks` to
requests whose JSON has these members.
Operations of S3 have the names that its API gives them, such as UploadPart.
The first rule that hits a request is applied.  `proxy.requests()` is what was
seen, in order of arrival.
"""
import datetime
import email.utils
import http.client
import http.server
import json
import os
import re
import socket
import struct
import sys
import threading
import time
import urllib.parse

from .wait import wait_until


# method, the parameter of the query that tells the operation -> operation
S3_OPERATIONS = [
    ('PUT', 'partNumber', 'UploadPart'), ('PUT', None, 'PutObject'),
    ('POST', 'uploads', 'CreateMultipartUpload'),
    ('POST', 'uploadId', 'CompleteMultipartUpload'), ('POST', 'delete', 'DeleteObjects'),
    ('DELETE', 'uploadId', 'AbortMultipartUpload'), ('HEAD', None, 'HeadObject'),
]


def operation(handler):
    if 'X-Amz-Target' in handler.headers:
        return handler.headers['X-Amz-Target'].rpartition('.')[2]
    query = urllib.parse.urlsplit(handler.path).query
    given = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    return next((name for method, parameter, name in S3_OPERATIONS
                 if method == handler.command and (parameter is None or parameter in given)),
                handler.command)


class Rule:
    def __init__(self, apply, op, first=None, every=None, after=0, shard=None, asks=None):
        self.apply = apply
        self.op, self.first, self.every, self.after = op, first, every, after
        self.shard, self.asks = shard, asks
        self.seen = 0

    def hits(self, op, shard, body=b'{}'):
        if self.op not in (None, op) or self.shard not in (None, shard):
            return False
        if self.asks is not None and not self.asks.items() <= json.loads(body).items():
            return False
        self.seen += 1
        n = self.seen - self.after
        return n > 0 and (self.first is None or n <= self.first) \
            and (self.every is None or n % self.every == 0)


class Hold:
    """Requests that wait until the test lets them go."""

    def __init__(self):
        self._released = threading.Event()
        self.n_held = 0

    def wait(self, n=1, timeout=30):
        """Wait until n requests are or were held."""
        wait_until(lambda: self.n_held >= n, timeout, f'{n} held requests')

    def release(self):
        self._released.set()

    def _hold(self):
        self.n_held += 1
        self._released.wait()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True
    rbufsize = 1 << 20
    backend = None

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        entry, rule = self.server.proxy.arrived(operation(self), self.headers, body)
        entry.update(method=self.command, path=self.path)
        try:
            (rule.apply if rule else Handler.relay)(self, entry, body)
        except OSError:         # the client or the backend has gone
            self.close_connection = True

    do_GET = do_PUT = do_DELETE = do_HEAD = do_POST

    def log_message(self, *args):
        pass

    def ask_backend(self, body):
        if self.backend is None:
            self.backend = http.client.HTTPConnection(*self.server.proxy.backend)
            self.backend.connect()
            self.backend.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.backend.putrequest(self.command, self.path, skip_host=True,
                                skip_accept_encoding=True)
        for name, value in self.headers.items():
            self.backend.putheader(name, value)
        self.backend.endheaders(body)
        answer = self.backend.getresponse()
        headers = [(n, v) for n, v in answer.getheaders()
                   if n.lower() not in ('content-length', 'transfer-encoding', 'connection')]
        return answer.status, headers, answer.read()

    def answer_head(self, status, headers, n_bytes):
        # not send_response(): the Date must be the server's
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header('Content-Length', str(n_bytes))
        self.end_headers()

    def answer(self, entry, status, headers, body):
        entry.update(status=status, bytes=len(body))
        self.answer_head(status, headers, len(body))
        self.wfile.write(body)
        entry['answered_at'] = time.monotonic()

    def relay(self, entry, body):
        status, headers, answer = self.ask_backend(body)
        self.server.proxy.learn(entry, answer)
        self.answer(entry, status, headers, answer)

    def reset(self):
        linger = struct.pack('ii', 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        os.close(self.connection.detach())
        self.close_connection = True

    def finish(self):
        if self.backend is not None:
            self.backend.close()
        super().finish()


class HttpServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):      # a client may go at any time
            super().handle_error(request, client_address)


class Proxy:
    def __init__(self, backend_url):
        url = urllib.parse.urlsplit(backend_url)
        self.backend = (url.hostname, url.port)
        self._lock = threading.Lock()
        self._rules, self._holds, self._log = [], [], []
        self._shards = {}       # by iterator
        self._server = HttpServer(('127.0.0.1', 0), Handler)
        self._server.proxy = self
        self.url = f'http://127.0.0.1:{self._server.server_port}'
        threading.Thread(target=self._server.serve_forever, args=(0.05,),
                         daemon=True).start()

    def close(self):
        self.clear()
        self._server.shutdown()
        self._server.server_close()

    # what happened

    def arrived(self, op, headers, body):
        entry = {'op': op, 'status': None, 'fault': False, 'headers': headers, 'body': body,
                 'shard': self._shard(op, body), 'at': time.monotonic()}
        with self._lock:
            self._log.append(entry)
            rule = next((r for r in self._rules if r.hits(op, entry['shard'], body)), None)
            entry['fault'] = rule is not None
            return entry, rule

    def _shard(self, op, body):
        """The shard that a request is about; None if it is not known."""
        if op == 'GetShardIterator':
            return json.loads(body)['ShardId']
        if op == 'GetRecords':
            return self._shards.get(json.loads(body)['ShardIterator'])
        return None

    def learn(self, entry, answer):
        """See which iterators are of which shard."""
        found = re.search(rb'"(?:Next)?ShardIterator": *"([^"]+)"', answer)
        if entry['shard'] is not None and found:
            self._shards[found[1].decode()] = entry['shard']

    def requests(self, op=None):
        with self._lock:
            return [e for e in self._log if op in (None, e['op'])]

    # what is to happen

    def _add(self, apply, op, when):
        with self._lock:
            self._rules.append(Rule(apply, op, **when))

    def clear(self):
        """Forget the rules and let go of what is held."""
        with self._lock:
            self._rules = []
        for hold in self._holds:
            hold.release()

    def raw(self, op, body, status=200, headers=(), **when):
        """Answer with this body in the backend's place."""
        def apply(handler, entry, _):
            handler.answer(entry, status, headers, body)
        self._add(apply, op, when)

    def error(self, op, code, message='injected', status=400, **when):
        self.raw(op, json.dumps({'__type': code, 'message': message}).encode(), status,
                 [('Content-Type', 'application/x-amz-json-1.1'),
                  ('x-amzn-RequestId', 'injected-request-id')], **when)

    def reset(self, op, **when):
        """Reset the connection; the backend sees nothing of the request."""
        self._add(lambda handler, entry, body: handler.reset(), op, when)

    def lose(self, op, **when):
        """Reset the connection after the backend has done what was asked."""
        def apply(handler, entry, body):
            handler.ask_backend(body)
            handler.reset()
        self._add(apply, op, when)

    def cut(self, op, n_bytes, **when):
        """End the answer after that many bytes of its body."""
        def apply(handler, entry, body):
            status, headers, answer = handler.ask_backend(body)
            handler.answer_head(status, headers, len(answer))
            handler.wfile.write(answer[:n_bytes])
            handler.close_connection = True
        self._add(apply, op, when)

    def slow(self, op, n_bytes, pause=0.05, **when):
        """Give the answer n_bytes at a time."""
        def apply(handler, entry, body):
            status, headers, answer = handler.ask_backend(body)
            handler.answer_head(status, headers, len(answer))
            for i in range(0, len(answer), n_bytes):
                handler.wfile.write(answer[i:i + n_bytes])
                threading.Event().wait(pause)
        self._add(apply, op, when)

    def rewrite(self, op, change, **when):
        """Answer with change(answer), a function of the JSON document."""
        def apply(handler, entry, body):
            status, headers, answer = handler.ask_backend(body)
            self.learn(entry, answer)
            handler.answer(entry, status, headers,
                           json.dumps(change(json.loads(answer))).encode())
        self._add(apply, op, when)

    def date(self, op, ahead, **when):
        """Date the answer so many seconds ahead of what the backend says."""
        def apply(handler, entry, body):
            status, headers, answer = handler.ask_backend(body)
            self.learn(entry, answer)
            told = email.utils.parsedate_to_datetime(dict(headers)['Date'])
            date = email.utils.format_datetime(told + datetime.timedelta(seconds=ahead), True)
            handler.answer(entry, status, [*((n, v) for n, v in headers if n != 'Date'),
                                           ('Date', date)], answer)
        self._add(apply, op, when)

    def hold(self, op, answered=False, **when):
        """Keep requests waiting, before the backend has seen them or after it
        has answered, until Hold.release()."""
        hold = Hold()
        self._holds.append(hold)

        def apply(handler, entry, body):
            if answered:
                answer = handler.ask_backend(body)
                hold._hold()
                handler.answer(entry, *answer)
            else:
                hold._hold()
                handler.relay(entry, body)
        self._add(apply, op, when)
        return hold
