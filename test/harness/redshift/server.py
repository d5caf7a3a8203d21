"""The stand-in as tests hold it: its address, users, databases and faults."""
import itertools
import socket
import ssl
import threading
import uuid

from ..cluster import free_port
from ..servers import REGION
from .catalog import Catalog
from .faults import Faults
from .session import Session
from .wire import RedshiftError

ROLE = 'arn:aws:iam::123456789012:role/loader'


class Redshift(Faults):
    """A stand-in in front of a cluster.

    s3 is a harness.servers.Server, whose key a role in `roles` has; isolation
    is 'snapshot' or 'serializable'; serverless has no STL tables; certificate
    offers TLS.  `password` is that of any user that was made."""

    def __init__(self, cluster, s3, isolation='snapshot', serverless=False, certificate=None,
                 roles=(ROLE,)):
        super().__init__()
        self.cluster, self.s3 = cluster, s3
        self.isolation, self.serverless, self.roles = isolation, serverless, roles
        self.tls = None
        if certificate is not None:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate.cert, certificate.key)
        self.users, self._databases, self._sessions = {}, {}, set()
        self._clients, self._lock = {}, threading.Lock()
        self._query_ids = itertools.count(100)
        self.host, self.port, self._listener = '127.0.0.1', free_port(), None
        self.up()

    # life

    def up(self):
        """Listen, again."""
        self._listener = socket.create_server((self.host, self.port), backlog=64)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def down(self):
        """Refuse connections, and end those that there are."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)     # accept() does not see a close
            listener.close()
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.client.reset()
            session.close()

    def stop(self):
        self.clear()
        self.down()
        for name in list(self._databases):
            self.drop_database(name)

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(Session(self, sock),), daemon=True).start()

    def _serve(self, session):
        with self._lock:
            self._sessions.add(session)
        try:
            session.serve()
        finally:
            with self._lock:
                self._sessions.discard(session)

    # users and databases

    def create_user(self, name, password):
        if not self.cluster.maintain('SELECT 1 FROM pg_roles WHERE rolname = %s', name):
            self.cluster.maintain(f'CREATE ROLE "{name}" LOGIN')
        self.users[name] = password

    def create_database(self):
        """A new database; its name."""
        name = f'store_{uuid.uuid4().hex[:12]}'
        self.cluster.maintain(f'CREATE DATABASE {name}')
        self.cluster.maintain(f'GRANT CREATE ON DATABASE {name} TO PUBLIC')
        self._databases[name] = Catalog(self.cluster, name, self.isolation, self.serverless)
        return name

    def drop_database(self, name):
        self._databases.pop(name).close()
        self.cluster.maintain(f'DROP DATABASE {name} WITH (FORCE)')

    def connect(self, dbname, user, password=None, **kw):
        """A connection by psycopg, through the stand-in."""
        import psycopg
        kw.setdefault('autocommit', True)
        return psycopg.connect(host=self.host, port=self.port, dbname=dbname, user=user,
                               password=password or self.users[user], **kw)

    # for sessions

    def database_of(self, name):
        if name not in self._databases:
            raise RedshiftError('3D000', f'database "{name}" does not exist', severity='FATAL')
        return self._databases[name]

    def next_query_id(self):
        return next(self._query_ids)

    def cancel(self, body):
        """Pass a CancelRequest on."""
        pid = int.from_bytes(body[:4], 'big')
        with self._lock:
            for session in self._sessions:
                if session.pid == pid:
                    session.cancelled = True
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(f'{self.cluster.dir}/.s.PGSQL.{self.cluster.port}')
            sock.sendall(b'\0\0\0\x10\x04\xd2\x16\x2e' + body)
            sock.recv(1)        # it is closed when the cancel was sent

    def s3_client(self, spec):
        """A boto3 client with what the COPY may use."""
        if spec.region not in (None, REGION):
            raise RedshiftError('XX000', 'S3ServiceException:The bucket you are attempting to '
                                'access must be addressed using the specified endpoint.,Status '
                                '301,Error PermanentRedirect')
        kind, value = spec.credentials
        if kind == 'role':
            if value != 'default' and not set(value.split(',')) <= set(self.roles):
                raise RedshiftError('XX000', f'User arn:aws:redshift:{REGION}:123456789012:dbuser:'
                                    f'standin is not authorized to assume IAM Role {value}')
            value = {}
        with self._lock:
            at = tuple(sorted(value.items()))
            if at not in self._clients:
                names = {'access_key': 'aws_access_key_id', 'secret_key': 'aws_secret_access_key',
                         'token': 'aws_session_token'}
                self._clients[at] = self.s3.client(
                    's3', **{names[name]: each for name, each in value.items()})
            return self._clients[at]
