"""What the bench runs in: a scratch cluster whose processor time is read from
/proc, and the replay server."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

BENCH = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(BENCH.parent / 'test'))

from harness.cluster import Cluster             # noqa: E402
from harness.servers import Certificate         # noqa: E402

# Durable, as a server in production is.  Checkpoints are made only between
# measurements, and autovacuum does not run during one.
CONF = """
fsync = on
max_wal_size = 64GB
checkpoint_timeout = 1h
autovacuum = off
track_commit_timestamp = on
"""
TICK = os.sysconf('SC_CLK_TCK')
# they write pages and WAL that other processes have made
NOT_COUNTED = ('checkpointer', 'walwriter')


def stat(pid):
    """The fields of /proc/PID/stat, from the process's state on (index 0)."""
    return pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()


def seconds_of(pid, with_children=False):
    """Processor seconds of a process, user and system."""
    fields = stat(pid)[11:15]
    return sum(map(int, fields if with_children else fields[:2])) / TICK


def core_ticks():
    """Ticks of all cores so far: busy, the kernel's work included, and idle."""
    user, nice, system, idle, waiting, *interrupts = map(
        int, pathlib.Path('/proc/stat').read_text().splitlines()[0].split()[1:8])
    return user + nice + system + sum(interrupts), idle + waiting


def listed(**options):
    """Options in the syntax of OPTIONS (...)."""
    return ', '.join(f"{name} '{value}'" for name, value in options.items())


def fine_seconds_of(pid):
    """Processor seconds of a process that has one thread, to the nanosecond."""
    return int(pathlib.Path(f'/proc/{pid}/schedstat').read_text().split()[0]) / 1e9


def private_bytes(pid):
    """Memory of a process that no other has: not shared buffers, not files."""
    for line in pathlib.Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith('RssAnon:'):
            return int(line.split()[1]) * 1024
    raise RuntimeError('the kernel does not tell RssAnon')


class Directory:
    """A temporary directory that the server's user may read."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix='tracking_fdw.bench.'))
        self.path.chmod(0o755)

    def __enter__(self):
        return self.path

    def __exit__(self, *exc):
        shutil.rmtree(self.path, ignore_errors=True)


class Replay:
    """The replay server, over these contents (Files)."""

    def __init__(self, contents):
        self.certificate = Certificate()
        self._process = subprocess.Popen(
            [BENCH / 'replay/build/replay', '--tls', self.certificate.cert, self.certificate.key,
             *(f'{each.shape.name}={each.content}' for each in contents)],
            stdout=subprocess.PIPE)
        self.pid = self._process.pid
        listening = json.loads(self._process.stdout.readline())
        self.url, self.tls_url = listening['url'], listening['tls_url']

    def counts(self):
        """What GetRecords was answered with since the start."""
        with urllib.request.urlopen(self.url) as answer:
            return json.load(answer)

    def stop(self):
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()


class Cost:
    """Of a stretch of work: processor seconds, WAL bytes, elapsed seconds."""

    def __init__(self, cpu, wal, elapsed):
        self.cpu, self.wal, self.elapsed = cpu, wal, elapsed


class Bed:
    """A cluster with the extension, foreign servers "aws" and "aws_tls", and
    two sessions: work, which is measured, and control, which is not."""

    def __init__(self, replay):
        self.replay = replay
        self.cluster = Cluster(conf=CONF)
        try:
            self.control = self.cluster.connect()
            self.control.execute('CREATE EXTENSION tracking_fdw')
            self._foreign_server('aws', replay.url)
            self._foreign_server('aws_tls', replay.tls_url, ca_bundle=replay.certificate.ca)
            self.work = self.cluster.connect()
            self.control_pid = self.control.info.backend_pid
        except BaseException:
            self.cluster.destroy()
            raise

    def _foreign_server(self, name, url, **options):
        self.control.execute(
            f'CREATE SERVER {name} FOREIGN DATA WRAPPER tracking_fdw OPTIONS '
            f"({listed(region='us-east-1', endpoint=url, **options)})")
        self.control.execute(f'CREATE USER MAPPING FOR CURRENT_USER SERVER {name} OPTIONS '
                             "(access_key_id 'AKIDBENCH', secret_access_key 'secret')")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.cluster.destroy()

    # SQL, outside of what is measured

    def sql(self, query, *args):
        cursor = self.control.execute(query, args or None)
        return cursor.fetchall() if cursor.description else None

    def value(self, query, *args):
        return self.sql(query, *args)[0][0]

    def foreign_table(self, name, columns, stream, server='aws', **options):
        self.sql(f'CREATE FOREIGN TABLE {name} ({columns}) SERVER {server} OPTIONS '
                 f'({listed(stream=stream, **options)})')

    # processor time

    def _children(self):
        postmaster = self.cluster.postmaster()
        tasks = pathlib.Path(f'/proc/{postmaster}/task/{postmaster}/children').read_text()
        return [int(pid) for pid in tasks.split()]

    def _cpu_of(self, pids):
        """Processor seconds of processes, without NOT_COUNTED and the control
        session."""
        total = 0
        for pid in pids:
            title = pathlib.Path(f'/proc/{pid}/cmdline').read_text()
            if pid != self.control_pid and not any(each in title for each in NOT_COUNTED):
                total += seconds_of(pid)
        return total

    def cpu(self):
        """Processor seconds of the server so far: the postmaster, the children
        that it has, and those that have ended."""
        while True:
            pids = self._children()
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                total = seconds_of(self.cluster.postmaster(), with_children=True)
                total += self._cpu_of(pids)
                # if a child has ended meanwhile, it is counted twice or not at all
                if self._children() == pids:
                    return total

    def wal(self):
        return self.value("SELECT pg_current_wal_insert_lsn() - '0/0'")

    def measure(self, work):
        """The cost of work(), after a checkpoint."""
        self.sql('CHECKPOINT')
        wal, cpu, began = self.wal(), self.cpu(), time.monotonic()
        work()
        # less than a tick cannot be told
        elapsed, cpu = time.monotonic() - began, max(self.cpu() - cpu, 1 / TICK)
        return Cost(cpu, int(self.wal() - wal), elapsed)
