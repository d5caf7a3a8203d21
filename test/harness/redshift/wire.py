"""Messages of PostgreSQL's protocol 3, to and from bytes."""
import socket
import struct

SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST = 80877103, 80877104, 80877102
PROTOCOL_3_0 = 3 << 16
MAX_STATEMENT = 16 * 1024 * 1024


class RedshiftError(Exception):
    """An error to be answered to the client."""

    def __init__(self, sqlstate, message, detail=None, hint=None, severity='ERROR'):
        super().__init__(message)
        self.fields = {'S': severity, 'C': sqlstate, 'M': message}
        if detail:
            self.fields['D'] = detail
        if hint:
            self.fields['H'] = hint

    @property
    def sqlstate(self):
        return self.fields['C']

    @property
    def message(self):
        return self.fields['M']


class BackendError(RedshiftError):
    """An ErrorResponse of PostgreSQL."""

    def __init__(self, body):
        self.fields = read_fields(body)
        Exception.__init__(self, self.fields['M'])


def message(kind, body=b''):
    return kind + struct.pack('>I', len(body) + 4) + body


def query(sql):
    return message(b'Q', sql.encode() + b'\0')


def read_fields(body):
    return {part[:1].decode(): part[1:].decode(errors='replace')
            for part in body.split(b'\0') if part}


def fields_message(kind, fields):
    # 8.0 knows no others: not the names of tables, columns, and constraints
    parts = [name.encode() + fields[name].encode() + b'\0'
             for name in 'SCMDHPWFLR' if name in fields]
    return message(kind, b''.join(parts) + b'\0')


def error(exception):
    return fields_message(b'E', exception.fields)


def info(text):
    return fields_message(b'N', {'S': 'INFO', 'C': '00000', 'M': text})


def complete(tag):
    return message(b'C', tag.encode() + b'\0')


def ready(status):
    return message(b'Z', status)


def parameter(name, value):
    return message(b'S', f'{name}\0{value}\0'.encode())


def read_row(body):
    """Values of a DataRow, as text."""
    n, at, values = struct.unpack_from('>H', body)[0], 2, []
    for _ in range(n):
        length, = struct.unpack_from('>i', body, at)
        at += 4
        values.append(None if length < 0 else body[at:at + length].decode())
        at += max(length, 0)
    return values


def with_type_oids(body, oids):
    """A RowDescription with the types' numbers changed."""
    n, at, changed = struct.unpack_from('>H', body)[0], 2, bytearray(body)
    for _ in range(n):
        at = body.index(b'\0', at) + 1
        oid, = struct.unpack_from('>I', body, at + 6)
        struct.pack_into('>I', changed, at + 6, oids.get(oid, oid))
        at += 18
    return bytes(changed)


class Connection:
    """A socket that carries messages."""

    def __init__(self, sock):
        self.sock = sock
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._in = sock.makefile('rb', 1 << 16)

    def read(self, n):
        try:
            data = self._in.read(n)
        except ValueError:          # it was closed meanwhile
            raise EOFError from None
        if len(data) < n:
            raise EOFError
        return data

    def startup(self):
        """The first message, which has no kind: its code and its body."""
        length, code = struct.unpack('>II', self.read(8))
        return code, self.read(length - 8)

    def receive(self):
        head = self.read(5)
        return head[:1], self.read(struct.unpack('>I', head[1:])[0] - 4)

    def send(self, *messages):
        self.sock.sendall(b''.join(messages))

    def secure(self, context):
        """Continue with TLS."""
        self._in.close()
        self.sock = context.wrap_socket(self.sock, server_side=True)
        self._in = self.sock.makefile('rb', 1 << 16)

    def reset(self):
        """End it as a broken network does."""
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        except OSError:
            pass
        self.close()

    def close(self):
        for end in (lambda: self.sock.shutdown(socket.SHUT_RDWR), self._in.close,
                    self.sock.close):
            try:
                end()
            except (OSError, ValueError):
                pass
