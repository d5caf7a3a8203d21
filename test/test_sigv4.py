"""SigV4 stage by stage: the example of AWS's documentation, and botocore's
signer as a second opinion on requests made up from a fixed seed."""
import calendar
import random
import time

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SQL = ('SELECT canonical_request, string_to_sign, "authorization" FROM unit.sigv4('
       '%s, %s, %s, %s::text[], %s, %s, %s, %s, %s, %s, %s)')


class Request:
    def __init__(self, method, path, query, headers, body, region, service, epoch, cred):
        self.method, self.path, self.query = method, path, query
        self.headers, self.body = headers, body
        self.region, self.service, self.epoch, self.cred = region, service, epoch, cred

    def ours(self, conn):
        pairs = [text for header in self.headers for text in header]
        return conn.execute(SQL, (self.method, self.path, self.query, pairs, self.body,
                                  self.region, self.service, self.epoch, *self.cred)).fetchone()

    def botocores(self, signer=SigV4Auth):
        auth = signer(Credentials(*self.cred), self.service, self.region)
        url = f'https://host{self.path}' + (f'?{self.query}' if self.query else '')
        request = AWSRequest(self.method, url, dict(self.headers), self.body)
        request.context['timestamp'] = time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(self.epoch))
        auth._modify_request_before_signing(request)
        canonical = auth.canonical_request(request)
        text = auth.string_to_sign(request, canonical)
        auth._inject_signature_to_request(request, auth.signature(text, request))
        return canonical, text, request.headers['Authorization']


def assert_same(request, conn, signer=SigV4Auth):
    stages = zip(('canonical request', 'string to sign', 'authorization'),
                 request.ours(conn), request.botocores(signer))
    for stage, ours, botocores in stages:
        assert ours == botocores, stage


def test_example_of_the_documentation(unit):
    request = Request(
        'GET', '/', 'Action=ListUsers&Version=2010-05-08',
        [('Host', 'iam.amazonaws.com'),
         ('Content-Type', 'application/x-www-form-urlencoded; charset=utf-8')],
        b'', 'us-east-1', 'iam', calendar.timegm((2015, 8, 30, 12, 36, 0)),
        ('AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', None))
    canonical, text, authorization = request.ours(unit)
    assert canonical == '\n'.join([
        'GET', '/', 'Action=ListUsers&Version=2010-05-08',
        'content-type:application/x-www-form-urlencoded; charset=utf-8',
        'host:iam.amazonaws.com', 'x-amz-date:20150830T123600Z', '',
        'content-type;host;x-amz-date',
        'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'])
    assert text == '\n'.join([
        'AWS4-HMAC-SHA256', '20150830T123600Z', '20150830/us-east-1/iam/aws4_request',
        'f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59'])
    assert authorization == (
        'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, '
        'SignedHeaders=content-type;host;x-amz-date, '
        'Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7')


def made_up_credentials(rnd, token):
    """Of the usual length, and of those around which HMAC hashes its key."""
    length = rnd.choice([40, 40, 60, 61, 200])
    return (f'AKID{rnd.randrange(10**12)}', ''.join(rnd.choices('abcXYZ/+0189', k=length)),
            ''.join(rnd.choices('abcXYZ/+0189=', k=rnd.randrange(1, 900))) if token else None)


def made_up_epoch(rnd):
    return rnd.randrange(946684800, 4102444800)


@pytest.mark.parametrize('seed', range(100))
def test_calls_of_kinesis(unit, seed):
    rnd = random.Random(seed)
    body = bytes(rnd.randrange(256) for _ in range(rnd.choice([2, 63, 64, 65, 5000])))
    operation = rnd.choice(['GetRecords', 'PutRecords', 'ListShards'])
    host = rnd.choice(['kinesis.us-east-1.amazonaws.com', '127.0.0.1:4567', '[::1]:80'])
    assert_same(Request(
        'POST', '/', '',
        [('Host', host), ('Content-Type', 'application/x-amz-json-1.1'),
         ('X-Amz-Target', f'Kinesis_20131202.{operation}')],
        body, rnd.choice(['us-east-1', 'cn-north-1']), 'kinesis', made_up_epoch(rnd),
        made_up_credentials(rnd, token=seed % 2)), unit)


SEGMENTS = ['', '.', '..', 'a', 'a%20b', 'caf%C3%A9', '~user', 'a+b', '%2F', '...', 'x.y', '!$()',
            'a=b', ',;', '@:', "it's"]
PIECES = ['', 'a', 'a=', 'a=1', 'a=0', 'A=1', 'b=%20', 'a-b=~', 'aa=1', 'a=1=2', 'a%3Db=1',
          'prefix=x%2Fy', 'z']
VALUES = ['v', ' v', 'v  ', 'a  b', 'a \t b   c', '"a  b"', '', '*', 'a,b', 'text/plain; q=1']


@pytest.mark.parametrize('seed', range(200))
def test_odd_requests(unit, seed):
    rnd = random.Random(f'odd {seed}')
    path = '/' + '/'.join(rnd.choices(SEGMENTS, k=rnd.randrange(5)))
    query = '&'.join(rnd.choices(PIECES, k=rnd.randrange(6)))
    names = rnd.sample(['X-Amz-Meta', 'x-amz-meta-b', 'Accept', 'content-type', 'X-A', 'x-a-b',
                        'Zulu', 'X-Amz-Target'], k=rnd.randrange(6))
    assert_same(Request(
        rnd.choice(['GET', 'POST', 'PUT', 'DELETE']), path, query,
        [('Host', 'host')] + [(name, rnd.choice(VALUES)) for name in names],
        rnd.choice([b'', b'{}', b'\0\xff']), 'eu-west-1', 'service', made_up_epoch(rnd),
        made_up_credentials(rnd, token=rnd.random() < 0.5)), unit)


@pytest.mark.parametrize('seed', range(100))
def test_calls_of_s3(unit, seed):
    """The path is signed as it is sent, and the body's hash is a header."""
    rnd = random.Random(f's3 {seed}')
    path = '/' + '/'.join(rnd.choices(SEGMENTS, k=rnd.randrange(5)))
    query = rnd.choice(['', 'uploads', 'delete', 'uploadId=a.b_c%2Fd%3D&partNumber=7',
                        'partNumber=10&uploadId=x'])
    assert_same(Request(
        rnd.choice(['GET', 'PUT', 'POST', 'DELETE', 'HEAD']), path, query,
        [('Host', 'bucket.s3.eu-west-1.amazonaws.com')] +
        [('Content-MD5', 'CY9rzUYh03PK3k6DJie09g==')] * rnd.randrange(2),
        rnd.choice([b'', b'<Delete/>', b'\0\xff' * 5000]), 'eu-west-1', 's3', made_up_epoch(rnd),
        made_up_credentials(rnd, token=rnd.random() < 0.5)), unit, S3SigV4Auth)
