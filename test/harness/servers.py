"""Kinesis servers, two from npm, and moto, which has S3 too and verifies signatures."""
import base64
import datetime
import json
import os
import pathlib
import subprocess
import tempfile
import urllib.error
import urllib.request

from .cluster import free_port
from .wait import wait_until

TEST = pathlib.Path(__file__).resolve().parents[1]
MODULES = TEST / 'node_modules'
REGION = 'us-east-1'
ACCESS_KEY, SECRET_KEY = 'AKIDTESTTESTTESTTEST', 'secretSECRETsecretSECRETsecretSECRETsecr'


def answers(url):
    """Does an HTTP server answer at url, whatever it says?"""
    try:
        urllib.request.urlopen(url, timeout=30).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


class Certificate:
    """A certificate authority of our own and a certificate for 127.0.0.1."""

    def __init__(self):
        self._dir = tempfile.TemporaryDirectory(prefix='tracking_fdw.tls.')
        self.dir = pathlib.Path(self._dir.name)
        self.dir.chmod(0o755)
        self.ca = self.dir / 'ca.pem'
        self.key = self.dir / 'key.pem'
        self.cert = self.dir / 'cert.pem'
        self._openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2',
                      '-subj', '/CN=tracking_fdw test CA', '-keyout', 'ca.key',
                      '-out', self.ca)
        self._openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=127.0.0.1',
                      '-keyout', self.key, '-out', 'cert.csr')
        (self.dir / 'ext').write_text('subjectAltName=IP:127.0.0.1,DNS:localhost\n')
        self._openssl('x509', '-req', '-in', 'cert.csr', '-CA', self.ca, '-CAkey', 'ca.key',
                      '-days', '2', '-extfile', 'ext', '-out', self.cert)
        self.ca.chmod(0o644)

    def _openssl(self, *args):
        subprocess.run(['openssl', *map(str, args)], cwd=self.dir, check=True,
                       capture_output=True)


class Clock:
    """How far the clock of a server is ahead, in a file that servers/clock.js reads."""
    PRELOAD = ('-r', TEST / 'servers/clock.js')

    def __init__(self):
        self._dir = tempfile.TemporaryDirectory(prefix='tracking_fdw.clock.')
        self._file = pathlib.Path(self._dir.name) / 'ahead'
        self._seen = pathlib.Path(self._dir.name) / 'ahead.seen'
        self._file.write_text('0')
        self.environment = {'CLOCK_FILE': str(self._file)}

    def ahead(self, **time):
        """Set it ahead by that much, or right; arguments are those of timedelta."""
        milliseconds = f'{datetime.timedelta(**time).total_seconds() * 1000:.0f}'
        if milliseconds == self._file.read_text():
            return
        # not for a moment empty, which would be right
        written = self._file.with_suffix('.new')
        written.write_text(milliseconds)
        written.replace(self._file)
        wait_until(lambda: self._seen.exists() and self._seen.read_text() == milliseconds,
                   what='the clock to be seen')


class Server:
    """A server process; subclasses start it and know its addresses."""
    name = None
    access_key, secret_key = ACCESS_KEY, SECRET_KEY
    url = tls_url = None

    def _spawn(self, command, **env):
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=self._log, env={**os.environ, **env}, start_new_session=True)
        self.pid = self._process.pid

    def _line(self):
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            raise RuntimeError(f'{self.name} ended: {self._log.read().decode()}')
        return json.loads(line)

    def stop(self):
        # a polite end of kinesis-local takes up to half a minute
        self._process.kill()
        self._process.wait()

    def client(self, service='kinesis', **kw):
        """A boto3 client with this server's good credentials."""
        import boto3
        from botocore.config import Config
        kw.setdefault('aws_access_key_id', self.access_key)
        kw.setdefault('aws_secret_access_key', self.secret_key)
        return boto3.client(service, endpoint_url=self.url, region_name=REGION,
                            config=Config(retries={'max_attempts': 0}, read_timeout=60,
                                          max_pool_connections=20), **kw)


class Kinesalite(Server):
    """Fast enough for volume; it never verifies a signature."""
    name = 'kinesalite'

    def __init__(self, certificate=None, clock=None):
        tls = [certificate.key, certificate.cert] if certificate else []
        self._spawn(['node', *(clock.PRELOAD if clock else ()),
                     TEST / 'servers/kinesalite.js', *tls],
                    NODE_PATH=str(MODULES), **(clock.environment if clock else {}))
        listening = self._line()
        self.url, self.tls_url = listening['url'], listening.get('tls_url')


class KinesisLocal(Server):
    """Close to the service in breadth; slow past 2,000 records a shard."""
    name = 'kinesis-local'
    TRANSITIONS = (
        'CREATE_STREAM', 'DELETE_STREAM', 'REGISTER_STREAM_CONSUMER',
        'DEREGISTER_STREAM_CONSUMER', 'START_STREAM_ENCRYPTION', 'STOP_STREAM_ENCRYPTION',
        'MERGE_SHARDS', 'SPLIT_SHARD', 'UPDATE_SHARD_COUNT', 'UPDATE_STREAM_MODE')

    def __init__(self, certificate, clock=None):
        self._dir = tempfile.TemporaryDirectory(prefix='tracking_fdw.kinesis.')
        key_and_cert = pathlib.Path(self._dir.name) / 'server.json'
        key_and_cert.write_text(json.dumps({'server': {
            'key': certificate.key.read_text(), 'cert': certificate.cert.read_text()}}))
        self._spawn(
            ['node', '-r', TEST / 'servers/loopback.js', *(clock.PRELOAD if clock else ()),
             MODULES / 'kinesis-local/main.js'],
            KINESIS_MOCK_PLAIN_PORT='0', KINESIS_MOCK_TLS_PORT='0',
            KINESIS_MOCK_CERT_PATH=str(key_and_cert), SHARD_LIMIT='5000', LOG_LEVEL='ERROR',
            **{f'{name}_DURATION': '20ms' for name in self.TRANSITIONS},
            **(clock.environment if clock else {}))
        # it opens both ports in no certain order
        for port in (self._line()['listening'], self._line()['listening']):
            if answers(f'http://127.0.0.1:{port}/'):
                self.url = f'http://127.0.0.1:{port}'
            else:
                self.tls_url = f'https://127.0.0.1:{port}'


class ManyShards(Server):
    """A stream "many" of very many shards; PutRecord takes a shard's number as key."""
    name = 'many_shards'

    def __init__(self, count):
        self._spawn(['node', TEST / 'servers/many_shards.js', str(count)])
        self.url = self._line()['url']


class BigRecords(Server):
    """A stream "big" with so many records of so many bytes in each of its shards."""
    name = 'big_records'

    def __init__(self, shards, records, size):
        self._spawn(['node', TEST / 'servers/big_records.js', *map(str, (shards, records, size))])
        self.url = self._line()['url']


class GivenRecords(Server):
    """A stream "given" with these payloads, of up to 10 MiB each, one for each shard in turn."""
    name = 'given_records'

    def __init__(self, payloads, shards=1):
        with tempfile.NamedTemporaryFile(prefix='tracking_fdw.records.') as file:
            for payload in payloads:
                file.write(base64.b64encode(payload) + b'\n')
            file.flush()
            self._spawn(['node', TEST / 'servers/given_records.js', file.name, str(shards)])
            self.url = self._line()['url']


class Moto(Server):
    """Verifies signatures: the test that SigV4 is right end to end.  With S3 it
    miscalculates those of keys with spaces and such: verify=False for these."""
    name = 'moto'
    ROOT = pathlib.Path(
        os.environ.get('TRACKING_FDW_CACHE')
        or os.path.join(os.environ.get('XDG_CACHE_HOME') or '/var/cache', 'tracking_fdw')
    ) / 'moto-trixie'
    # calls that it lets pass unverified: those of _make_user()
    UNVERIFIED_CALLS = 3

    @classmethod
    def available(cls):
        return os.geteuid() == 0 and (cls.ROOT / 'usr/bin/moto_server').exists()

    def __init__(self, verify=True):
        port = free_port()
        unverified = [f'INITIAL_NO_AUTH_ACTION_COUNT={self.UNVERIFIED_CALLS}'] if verify else []
        self.url = f'http://127.0.0.1:{port}'
        self._spawn(['env', '-i', 'PATH=/usr/sbin:/usr/bin:/bin', 'HOME=/tmp', 'LANG=C.UTF-8',
                     *unverified, 'chroot', self.ROOT, '/usr/bin/moto_server', '-H', '127.0.0.1',
                     '-p', str(port)])
        wait_until(lambda: answers(f'{self.url}/moto-api/'), what='moto')
        if verify:
            self._make_user()

    def _make_user(self):
        iam = self.client('iam')
        iam.create_user(UserName='tester')
        key = iam.create_access_key(UserName='tester')['AccessKey']
        iam.put_user_policy(UserName='tester', PolicyName='all', PolicyDocument=json.dumps({
            'Version': '2012-10-17',
            'Statement': [{'Effect': 'Allow', 'Action': ['kinesis:*', 's3:*', 'iam:*', 'sts:*'],
                           'Resource': '*'}]}))
        self.access_key, self.secret_key = key['AccessKeyId'], key['SecretAccessKey']
