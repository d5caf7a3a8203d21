"""A throw-away PostgreSQL cluster with tracking_fdw preloaded.

As a program: cluster.py COMMAND [ARG...] runs a command against a cluster of
its own (PGHOST, PGPORT and PGUSER are set) and ends with its status.
"""
import atexit
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile

from .wait import wait_until

CONF = """
listen_addresses = '127.0.0.1'
fsync = off
max_worker_processes = 32
max_connections = 60
log_line_prefix = '%m [%p] %b '
restart_after_crash = on
"""


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def pg_config(what):
    program = os.environ.get('PG_CONFIG', 'pg_config')
    return subprocess.check_output([program, what], text=True).strip()


class Cluster:
    """A server of its own; with standby_of, a streaming standby of another,
    or, with restore_of, one restored from its base backup and archive; bindir
    is for one of another version."""
    _initialized = {}       # data directories as initdb made them
    template = None         # name of a database with the extension, to make others of

    def __init__(self, preload=True, conf='', standby_of=None, restore_of=None, bindir=None,
                 checksums=False):
        self.bindir = bindir or pathlib.Path(pg_config('--bindir'))
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='tracking_fdw.'))
        self.data = self.dir / 'data'
        self.logfile = self.dir / 'log'
        self.port = free_port()
        # initdb and the server refuse to run as root
        self.user = 'postgres' if os.geteuid() == 0 else None
        # at debug5 the server logs its environment: none of ours
        self.env = {'PATH': os.environ['PATH'], 'LANG': 'C.UTF-8'}
        if 'LD_LIBRARY_PATH' in os.environ:     # for an older server's libraries
            self.env['LD_LIBRARY_PATH'] = os.environ['LD_LIBRARY_PATH']
        self._kept = None
        if self.user:
            owner = pwd.getpwnam(self.user)
            os.chown(self.dir, owner.pw_uid, owner.pw_gid)
        try:
            if standby_of is not None:
                self.run('pg_basebackup', '-D', self.data, '-h', standby_of.dir, '-p',
                         standby_of.port, '-U', 'postgres', '-R', '-c', 'fast', '-X', 'stream')
            elif restore_of is not None:
                self.run('cp', '-a', restore_of, self.data)
            else:
                self._initialize(checksums)
            with open(self.data / 'postgresql.conf', 'a') as f:
                f.write(CONF)
                f.write(f"port = {self.port}\n")
                f.write(f"unix_socket_directories = '{self.dir}'\n")
                if preload:
                    f.write("shared_preload_libraries = 'tracking_fdw'\n")
                f.write(conf)
            self.start()
        except BaseException:
            self.destroy()
            raise

    def _initialize(self, checksums):
        """What initdb makes.  It takes long, so that only the first such cluster of
        a process asks it; others are copies, with a system identifier of their own."""
        kind = self.bindir, checksums
        if kind not in self._initialized:
            self.run('initdb', '-D', self.data, '-U', 'postgres', '-A', 'trust',
                     '-E', 'UTF8', '--locale=C.UTF-8', '-N', '--no-instructions',
                     *(['--data-checksums'] if checksums else []))
            kept = tempfile.mkdtemp(prefix='tracking_fdw.initdb.')
            atexit.register(shutil.rmtree, kept, ignore_errors=True)
            shutil.copytree(self.data, f'{kept}/data')
            self._initialized[kind] = f'{kept}/data'
            return
        # but for its WAL
        shutil.copytree(self._initialized[kind], self.data,
                        ignore=shutil.ignore_patterns('0000000*'))
        if self.user:
            subprocess.check_call(['chown', '-R', self.user, self.data])
        with open(self.data / 'global/pg_control', 'r+b') as f:
            f.write(struct.pack('=q', random.getrandbits(62)))
        # writes the checksum of the control file, and WAL of that identifier
        self.run('pg_resetwal', '-f', self.data)

    def run(self, program, *args):
        command = [program if program == 'cp' else str(self.bindir / program), *map(str, args)]
        if self.user:
            command = ['runuser', '-u', self.user, '--', *command]
        done = subprocess.run(command, cwd=self.dir, env=self.env, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise RuntimeError(f'{program} failed:\n{done.stdout}\n{self.log_end()}')

    def _pg_ctl(self, *args):
        self.run('pg_ctl', '-D', self.data, '-s', '-w', '-t', '60', *args)

    # life

    def start(self):
        self._pg_ctl('-l', self.logfile, 'start')

    def stop(self, mode='fast'):
        self._let_go()
        self._pg_ctl('-m', mode, 'stop')

    def restart(self, mode='fast'):
        self.stop(mode)
        self.start()

    def reload(self):
        self._pg_ctl('reload')

    def promote(self):
        self._pg_ctl('promote')

    def postmaster(self):
        return int((self.data / 'postmaster.pid').read_text().split()[0])

    def running(self):
        return (self.data / 'postmaster.pid').exists()

    def destroy(self):
        self._let_go()
        if self.running():
            try:
                self.stop('immediate')
            except RuntimeError as error:
                print(error, file=sys.stderr)
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.destroy()

    @staticmethod
    def kill9(pid):
        os.kill(pid, signal.SIGKILL)

    # use

    def connect(self, dbname='postgres', user='postgres', **kw):
        import psycopg
        kw.setdefault('autocommit', True)
        return psycopg.connect(host=str(self.dir), port=self.port,
                               dbname=dbname, user=user, **kw)

    def maintain(self, statement, *args):
        """Run a statement in database postgres; its rows, or None without a
        result.  The connection is kept, as a new one takes as long as many statements."""
        if self._kept is None or self._kept.closed:
            self._kept = self.connect()
        cursor = self._kept.execute(statement, args or None)
        return cursor.fetchall() if cursor.description else None

    def _let_go(self):
        if self._kept is not None:
            self._kept.close()

    def log(self):
        return (self.logfile.read_text(errors='replace')
                if self.logfile.exists() else '')

    def log_end(self):
        return '\n'.join(self.log().splitlines()[-20:])

    def wait_log(self, pattern, timeout=30):
        """Wait until the server log has a match of pattern; return it."""
        return wait_until(lambda: re.search(pattern, self.log()), timeout,
                          f'log line matching {pattern!r}')

    def client_env(self):
        return {**os.environ, 'PGHOST': str(self.dir), 'PGPORT': str(self.port),
                'PGUSER': 'postgres'}


def main():
    with Cluster() as cluster:
        return subprocess.run(sys.argv[1:], env=cluster.client_env()).returncode


if __name__ == '__main__':
    sys.exit(main())
