"""One client: its connection, and the connection to PostgreSQL behind it."""
import hashlib
import os
import socket
import struct

from . import wire
from .catalog import PADB_VERSION, SUPER_OID
from .faults import Cut
from .load import Load
from .objects import Store
from .statement import CONTROL, EXTENDED, WRITES, parse
from .wire import BackendError, RedshiftError

# ParameterStatus that Redshift sends; standard_conforming_strings is none
REPORTED = ('server_encoding', 'client_encoding', 'DateStyle', 'TimeZone', 'is_superuser',
            'session_authorization', 'integer_datetimes')
STARTUP = {'user': 'user', 'database': 'database', 'application_name': 'application_name',
           'client_encoding': 'client_encoding', 'datestyle': 'DateStyle',
           'timezone': 'TimeZone', 'extra_float_digits': 'extra_float_digits'}
BYTES_CONSTRAINT = 'redshift bytes '
UNKNOWN = ('0A000', 'pipelined statements are not known to the stand-in')


class Session:
    def __init__(self, server, sock):
        self.server, self.client = server, wire.Connection(sock)
        self.serverless = server.serverless
        self.backend = None
        self.pid = None
        self.status = b'I'
        self.cancelled = False
        self.values = {}            # of pg_last_copy_id() and the like
        self.prepared, self.portals = {}, {}
        self.written = 0            # the table that was written last

    # life

    def serve(self):
        try:
            if self._start_up():
                while self._next():
                    pass
        except Cut:
            self.client.reset()
        except (OSError, EOFError):
            pass
        except RedshiftError as error:
            self._last_words(error)
        finally:
            self.close()

    def _last_words(self, error):
        try:
            self.client.send(wire.error(error))
        except OSError:
            pass

    def close(self):
        self.client.close()
        if self.backend is not None:
            self.backend.close()

    def _start_up(self):
        while True:
            code, body = self.client.startup()
            if code == wire.SSL_REQUEST and self.server.tls is not None:
                self.client.sock.sendall(b'S')
                self.client.secure(self.server.tls)
            elif code in (wire.SSL_REQUEST, wire.GSS_REQUEST):
                self.client.sock.sendall(b'N')
            elif code == wire.CANCEL_REQUEST:
                self.server.cancel(body)
                return False
            elif code != wire.PROTOCOL_3_0:
                raise RedshiftError('0A000', 'unsupported frontend protocol '
                                    f'{code >> 16}.{code & 0xffff}', severity='FATAL')
            else:
                break
        parameters = self._startup_parameters(body)
        self.user = parameters['user']
        self.fault('connect', sql='', user=self.user)
        self._authenticate()
        self.database = self.server.database_of(parameters.get('database', self.user))
        self._connect_backend(parameters)
        return True

    def _startup_parameters(self, body):
        parts = body.rstrip(b'\0').decode().split('\0')
        found = {}
        for name, value in zip(parts[::2], parts[1::2]):
            known = STARTUP.get(name.lower())
            if known is None:
                raise RedshiftError('42704', f'unrecognized configuration parameter "{name}"',
                                    severity='FATAL')
            if known == 'extra_float_digits' and int(value) > 2:
                raise RedshiftError('22023', f'{value} is outside the valid range for parameter '
                                    '"extra_float_digits" (-15 .. 2)', severity='FATAL')
            found[known] = value
        return found

    def _authenticate(self):
        salt = os.urandom(4)
        self.client.send(wire.message(b'R', struct.pack('>I', 5) + salt))
        kind, body = self.client.receive()
        password = self.server.users.get(self.user)
        if kind != b'p' or password is None \
                or body.rstrip(b'\0').decode() != md5_password(self.user, password, salt):
            raise RedshiftError('28000', f'password authentication failed for user "{self.user}"',
                                severity='FATAL')

    def _connect_backend(self, parameters):
        sock = socket.socket(socket.AF_UNIX)
        cluster = self.server.cluster
        sock.connect(f'{cluster.dir}/.s.PGSQL.{cluster.port}')
        self.backend = wire.Connection(sock)
        isolation = 'serializable' if self.server.isolation == 'serializable' \
            else r'repeatable\ read'
        parameters['options'] = ('-c standard_conforming_strings=off '
                                 '-c escape_string_warning=off -c backslash_quote=on '
                                 f'-c default_transaction_isolation={isolation} '
                                 '-c redshift.query_group=default')
        packed = b''.join(f'{name}\0{value}\0'.encode() for name, value in parameters.items())
        self.backend.send(struct.pack('>II', len(packed) + 9, wire.PROTOCOL_3_0) + packed + b'\0')
        told = []
        self._until_ready(told.append)
        self.user_id = int(self.execute(
            'SELECT oid FROM pg_roles WHERE rolname = current_user')[0][0])
        self.client.send(*told, wire.parameter('padb_version', PADB_VERSION),
                         wire.ready(self.status))

    # PostgreSQL behind

    def _until_ready(self, sink):
        """Pass on what PostgreSQL says, up to its ReadyForQuery."""
        while True:
            kind, body = self.backend.receive()
            if kind == b'Z':
                self.status = body
                return
            if kind == b'K':
                self.pid = struct.unpack('>I', body[:4])[0]
            said = self._translated(kind, body)
            if said:
                sink(said)

    def _translated(self, kind, body):
        if kind == b'S':
            name, value = body[:-1].decode().split('\0')
            if name == 'server_version':
                return wire.parameter(name, '8.0.2')
            return wire.message(kind, body) if name in REPORTED else b''
        if kind == b'T':
            body = wire.with_type_oids(body, {self.database.super_oid: SUPER_OID})
        elif kind == b'E':
            return wire.error(self._translated_error(BackendError(body)))
        elif kind == b'N':
            return wire.fields_message(kind, wire.read_fields(body))
        return wire.message(kind, body)

    def _translated_error(self, error):
        constraint = error.fields.get('n', '')
        if error.sqlstate == '40001':
            return RedshiftError(
                'XX000', '1023', f'Serializable isolation violation on table - {self.written}, '
                f'transactions forming the cycle are: {self.pid}, {self.pid + 1} '
                f'(pid:{self.pid})')
        if error.sqlstate == '23514' and constraint.startswith(BYTES_CONSTRAINT):
            declared = constraint[len(BYTES_CONSTRAINT):].split(' ')[0]
            name = declared.replace('varchar', 'character varying').replace('char(', 'character(')
            return RedshiftError('22001', f'value too long for type {name}')
        if error.sqlstate == '0A000' and error.message.startswith('cannot accept a value of type'):
            return RedshiftError('0A000', 'a string as SUPER is not known to the stand-in',
                                 hint='Use JSON_PARSE.')
        return error

    def execute(self, sql):
        """Rows of a statement of our own, as text."""
        self.backend.send(wire.query(sql))
        return self._result()

    def _result(self):
        found, error = [], None
        while True:
            kind, body = self.backend.receive()
            if kind == b'D':
                found.append(wire.read_row(body))
            elif kind == b'E':
                error = BackendError(body)
            elif kind == b'Z':
                self.status = body
                if error:
                    raise error
                return found

    def copy_in(self, sql, pieces):
        """COPY FROM STDIN of our own."""
        self.backend.send(wire.query(sql))
        kind, body = self.backend.receive()
        if kind != b'G':
            error = BackendError(body)
            self._result()
            raise error
        for piece in pieces:
            if self.cancelled:
                self.backend.send(wire.message(b'f', b'cancelled\0'))
                break
            self.backend.send(wire.message(b'd', piece))
        else:
            self.backend.send(wire.message(b'c'))
        return self._result()

    def write_lock(self, table):
        """Become the only writer of a table until the transaction's end; its
        number.  Takes the transaction's snapshot before it waits."""
        quoted = table.replace("'", "''")
        self.written = int(self.execute(f"SELECT standin.write_lock('{quoted}'::regclass)")[0][0])
        return self.written

    # what a load needs

    def check_cancelled(self):
        if self.cancelled:
            raise RedshiftError('57014', 'Query cancelled on user\'s request')

    def copied(self, query_id, n_rows):
        self.values.update(pg_last_copy_id=query_id, pg_last_copy_count=n_rows)

    def store(self, spec):
        return Store(self.server.s3_client(spec))

    # faults

    def fault(self, op, do=lambda: b'', answer=lambda done: None, **what):
        """Carry out an operation as the rules want it."""
        rule = self.server.arrived(op, pid=self.pid, **what)
        if rule:
            rule.apply(do, answer)
        else:
            answer(do())

    # messages of the client

    def _next(self):
        kind, body = self.client.receive()
        self.cancelled = False
        if kind == b'X':
            return False
        if kind == b'Q':
            self._simple(body[:-1].decode())
        elif kind in (b'P', b'B', b'D', b'E', b'C', b'S'):
            self._extended(kind, body)
        else:
            raise RedshiftError('08P01', f'message {kind!r} is not known to the stand-in',
                                severity='FATAL')
        return True

    def _simple(self, sql):
        try:
            statements = parse(sql, self.values)
        except RedshiftError as error:
            return self._refuse(sql, error)
        if not statements:
            return self.client.send(wire.message(b'I'), wire.ready(self.status))
        alone = len(statements) == 1
        implicit = not alone and self.status == b'I' and not any(
            s.kind in CONTROL or s.kind in ('truncate', 'vacuum') for s in statements)
        if implicit:
            self.execute('BEGIN')
        failed = False
        for each in statements:
            failed = self._run(each, last=alone)
            if failed:
                break
        if implicit:
            self.execute('ROLLBACK' if failed else 'COMMIT')
        if not alone:
            self.client.send(wire.ready(self.status))
        return None

    def _run(self, statement, last, extended=None):
        """Carry out a statement and answer; true if it failed."""
        failed = []

        def do():
            answer = []
            try:
                self._carry_out(statement, answer.append, extended)
            except RedshiftError as error:
                self._fail_transaction()
                error = self._translated_error(error) if isinstance(error, BackendError) \
                    else error
                answer.append(wire.error(error))
            if any(part[:1] == b'E' for part in answer):
                failed.append(True)
            if last:
                answer.append(wire.ready(self.status))
            return b''.join(answer)

        try:
            self.fault(statement.kind, do, self.client.send, sql=statement.text, user=self.user)
        except RedshiftError as error:      # injected
            failed.append(True)
            self._fail_transaction()
            self.client.send(wire.error(error), wire.ready(self.status) if last else b'')
        return bool(failed)

    def _carry_out(self, statement, sink, extended):
        query_id = self.server.next_query_id()
        self.values['pg_last_query_id'] = query_id
        if statement.copy:
            self._copy(statement.copy, query_id, sink)
        elif statement.kind == 'truncate':
            self.execute(statement.sql)
            if self.status == b'T':         # Redshift's commits what went before
                self.execute('COMMIT')
            sink(wire.complete('TRUNCATE TABLE'))
        else:
            if statement.kind == 'vacuum' and self.status == b'T':
                self.execute('COMMIT')
            if statement.kind in WRITES and self.status == b'T':
                self.write_lock(statement.table)
            self.backend.send(extended or wire.query(statement.sql))
            self._until_ready(sink)

    def _copy(self, spec, query_id, sink):
        if self.status == b'E':
            raise RedshiftError('25P02', 'current transaction is aborted, commands ignored until '
                                'end of transaction block')
        own = self.status == b'I'
        if own:
            self.execute('BEGIN')
        try:
            sink(Load(self, spec, query_id).run())
            if own:
                self.execute('COMMIT')
        except RedshiftError:
            if own and self.status != b'I':
                self.execute('ROLLBACK')
            raise
        sink(wire.complete('COPY'))

    def _fail_transaction(self):
        """Let the transaction be one that has failed, if there is one."""
        if self.status == b'T':
            try:
                self.execute('standin_refuses')
            except BackendError:
                pass

    def _refuse(self, sql, error):
        self.server.arrived('refused', pid=self.pid, sql=sql, user=self.user)
        self._fail_transaction()
        self.client.send(wire.error(error), wire.ready(self.status))

    # the extended protocol: what comes up to a Sync, with one statement at most

    batch = ()

    def _extended(self, kind, body):
        self.batch = [*self.batch, (kind, body)]
        if kind != b'S':
            return
        batch, self.batch = self.batch, ()
        texts = [body.split(b'\0')[1].decode() for kind, body in batch if kind == b'P']
        try:
            messages, executed = self._prepare(batch)
        except RedshiftError as error:
            return self._refuse('; '.join(texts), error)
        if executed is None:
            self.backend.send(*messages)
            answer = []
            self._until_ready(answer.append)
            return self.client.send(*answer, wire.ready(self.status))
        return self._run(executed, True, b''.join(messages))

    def _prepare(self, batch):
        """The messages for PostgreSQL, and the statement that they execute."""
        messages, executed = [], []
        for kind, body in batch:
            if kind == b'P':
                body = self._parse_message(body)
            elif kind == b'B':
                portal, name, _ = body.split(b'\0', 2)
                self.portals[portal] = self.prepared.get(name)
            elif kind == b'E':
                executed.append(self.portals.get(body.split(b'\0', 1)[0]))
            messages.append(wire.message(kind, body))
        if len(executed) > 1:
            raise RedshiftError(*UNKNOWN)
        return messages, executed[0] if executed else None

    def _parse_message(self, body):
        name, sql, rest = body.split(b'\0', 2)
        statements = parse(sql.decode(), self.values)
        if len(statements) > 1:
            raise RedshiftError('42601', 'cannot insert multiple commands into a prepared '
                                'statement')
        if not statements:
            raise RedshiftError(*UNKNOWN)
        if statements[0].kind not in EXTENDED:
            raise RedshiftError('0A000', f'{statements[0].kind.upper()} cannot be prepared')
        self.prepared[name] = statements[0]
        return name + b'\0' + statements[0].sql.encode() + b'\0' + rest


def md5_password(user, password, salt):
    inner = hashlib.md5((password + user).encode()).hexdigest()
    return 'md5' + hashlib.md5(inner.encode() + salt).hexdigest()
