"""pgbouncer in front of a store, pooling by transaction: what is one connection
to a client is many to the server, and the other way round."""
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

from .cluster import free_port
from .wait import wait_until

CONF = """
[databases]
* = host=127.0.0.1 port={backend}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = plain
auth_file = {dir}/users
pool_mode = transaction
default_pool_size = {servers}
"""


class Pgbouncer:
    """With so many connections to the server for each role and database."""

    def __init__(self, backend, servers, **passwords):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='tracking_fdw.pgbouncer.'))
        self.port = free_port()
        (self.dir / 'users').write_text(
            ''.join(f'"{user}" "{password}"\n' for user, password in passwords.items()))
        (self.dir / 'conf').write_text(
            CONF.format(backend=backend, port=self.port, dir=self.dir, servers=servers))
        command = ['/usr/sbin/pgbouncer', str(self.dir / 'conf')]
        if os.geteuid() == 0:           # as root it refuses to run
            shutil.chown(self.dir, 'postgres')
            command = ['runuser', '-u', 'postgres', '--', *command]
        with open(self.dir / 'log', 'wb') as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                             stderr=log)
        wait_until(self._answers, what=f'pgbouncer: {self.log()}')

    def _answers(self):
        try:
            socket.create_connection(('127.0.0.1', self.port)).close()
        except OSError:
            return False
        return True

    def log(self):
        return (self.dir / 'log').read_text()

    def stop(self):
        self._process.terminate()
        self._process.wait()
        shutil.rmtree(self.dir)
