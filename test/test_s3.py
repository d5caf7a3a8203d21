"""Objects in S3: whole or not at all, whatever happens on the way.  moto is the
server, boto3 the second opinion on what is there."""
import base64
import contextlib
import hashlib
import pathlib
import re
import threading
import time
import uuid

import psycopg
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from harness.bucket import Bucket

PART = 8 * 1024 * 1024


class OurBucket(Bucket):
    """A bucket that unit.s3_*() write to; what is in it boto3 tells."""

    def __init__(self, unit, server, url=None):
        super().__init__(server)
        self.unit, self.server = unit, server
        self.point(url or server.url)

    def point(self, url, token=None, max_retries=2, **keys):
        keys = {'access_key': self.server.access_key, 'secret_key': self.server.secret_key, **keys}
        self.unit.execute('SELECT unit.s3_server(%s, %s, %s, %s, %s, %s)',
                          (url, self.name, keys['access_key'], keys['secret_key'], token,
                           max_retries))

    def put(self, key, data, content_type='text/plain'):
        self.unit.execute('SELECT unit.s3_put_object(%s, %s, %s)', (key, content_type, data))

    def upload(self, key, data, at_end='finish', piece=1_000_003, content_type='text/plain',
               times=1):
        self.unit.execute('SELECT unit.s3_upload(%s, %s, %s, %s, %s, %s)',
                          (key, content_type, data, piece, at_end, times), binary=True)

    def delete(self, *keys):
        return self.unit.execute('SELECT * FROM unit.s3_delete_objects(%s)',
                                 (list(keys),)).fetchall()

    def get(self, key):
        answer = self.client.get_object(Bucket=self.name, Key=key)
        return answer['Body'].read()

    def uploads(self):
        """Multipart uploads that were neither completed nor aborted."""
        return self.client.list_multipart_uploads(Bucket=self.name).get('Uploads', [])


@pytest.fixture
def bucket(unit, moto):
    return OurBucket(unit, moto)


@pytest.fixture
def lenient(unit, lenient_moto):
    return OurBucket(unit, lenient_moto)


@pytest.fixture
def proxied(unit, moto, new_proxy):
    """A bucket behind a proxy."""
    proxy = new_proxy(moto)
    bucket = OurBucket(unit, moto, proxy.url)
    bucket.proxy = proxy
    return bucket


def noise(n_bytes):
    """Bytes that are the same every time and look like nothing."""
    return hashlib.shake_128(b'seed').digest(n_bytes)


def xml_error(code, message='injected', more=''):
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code>'
            f'<Message>{message}</Message>{more}<RequestId>injected-id</RequestId></Error>').encode()


def refuse(proxy, op, code, status=400, message='injected', more='', headers=(), **when):
    proxy.raw(op, xml_error(code, message, more), status,
              [('Content-Type', 'application/xml'), *headers], **when)


def operations(proxy):
    return [entry['op'] for entry in proxy.requests()]


# what is stored

@pytest.mark.parametrize('n_bytes, n_parts', [
    (0, 0), (1, 0), (70_000, 0), (PART - 1, 0), (PART, 0), (PART + 1, 2), (2 * PART, 2),
    (2 * PART + 12345, 3)])
def test_an_object_of_any_size(proxied, n_bytes, n_parts):
    data = noise(n_bytes)
    proxied.upload('dir/object.json', data, content_type='application/x-ndjson')
    assert proxied.get('dir/object.json') == data
    head = proxied.client.head_object(Bucket=proxied.name, Key='dir/object.json')
    assert head['ContentType'] == 'application/x-ndjson'
    assert operations(proxied.proxy) == (
        ['PutObject'] if n_parts == 0 else
        ['CreateMultipartUpload'] + ['UploadPart'] * n_parts + ['CompleteMultipartUpload'])
    assert proxied.uploads() == []


@pytest.mark.parametrize('piece', [1, 7, 65536, 10**9])
def test_pieces_of_any_size(bucket, piece):
    data = noise(200_000)
    bucket.upload('object', data, piece=piece)
    assert bucket.get('object') == data


def test_a_piece_of_several_parts(bucket):
    data = noise(2 * PART + 5)
    bucket.upload('object', data, piece=10**9)
    assert bucket.get('object') == data


def test_put_object(bucket):
    bucket.put('manifest', b'{"entries":[]}', 'application/json')
    assert bucket.get('manifest') == b'{"entries":[]}'
    bucket.put('manifest', b'')
    assert bucket.get('manifest') == b''


def test_every_body_has_its_checksum(proxied):
    proxied.upload('object', noise(PART + 5))
    proxied.put('small', b'small')
    checked = [e for e in proxied.proxy.requests() if e['op'] in ('UploadPart', 'PutObject')]
    assert len(checked) == 3
    for entry in checked:
        assert entry['headers']['Content-MD5'] == \
            base64.b64encode(hashlib.md5(entry['body']).digest()).decode()
        assert entry['headers']['X-Amz-Content-Sha256'] == \
            hashlib.sha256(entry['body']).hexdigest()


def test_memory_is_one_part(cluster, unit, moto):
    """A hundred megabytes in pieces of one; at its peak the process has hardly
    more than a part of it."""
    with cluster.connect(dbname=unit.info.dbname) as conn:
        bucket = OurBucket(conn, moto)
        bucket.upload('small', noise(1_000_000))

        def peak():
            status = pathlib.Path(f'/proc/{conn.info.backend_pid}/status').read_text()
            return int(re.search(r'VmHWM:\s+(\d+) kB', status)[1]) * 1024
        before = peak()
        bucket.upload('large', noise(1_000_000), times=100)
        assert peak() - before < 2 * PART
    head = bucket.client.head_object(Bucket=bucket.name, Key='large')
    assert head['ContentLength'] == 100_000_000


# keys

KEYS = ['a b', 'a+b', 'a%20b', "it's (1)*!", 'é/ключ/鍵', 'a//b', '/a', 'a/', 'a/./b', 'a/../b', 'a&b=c',
        'a?b#c', '<a>&amp;"', 'ключ' * 100, '~user', 'a:b@c$d,e;f']


@pytest.mark.parametrize('key', [key for key in KEYS if '/.' not in key])
def test_any_key(lenient, key):
    """moto's own client of the standard library folds the dot segments."""
    lenient.upload(key, b'data')
    assert lenient.keys() == [key] and lenient.get(key) == b'data'
    assert lenient.delete(key) == []
    assert lenient.keys() == []


@pytest.mark.parametrize('key', KEYS)
def test_signatures_of_any_key(unit, lenient_moto, new_proxy, key):
    """Against botocore's signer, as moto miscalculates those of odd keys."""
    proxy = new_proxy(lenient_moto)
    proxy.raw(None, b'', headers=[('ETag', '"%s"' % hashlib.md5(b'data').hexdigest())])
    bucket = OurBucket(unit, lenient_moto, proxy.url)
    bucket.point(proxy.url, token='a session/token==')
    bucket.put(key, b'data')
    entry, = proxy.requests()
    assert signature(entry, lenient_moto, 'a session/token==') == entry['headers']['Authorization']


def signature(entry, server, token):
    """The Authorization header that a request should have, in botocore's eyes."""
    auth = S3SigV4Auth(Credentials(server.access_key, server.secret_key, token), 's3', 'us-east-1')
    names = entry['headers']['Authorization'].split('SignedHeaders=')[1].split(',')[0].split(';')
    request = AWSRequest(entry['method'], 'http://' + entry['headers']['Host'] + entry['path'],
                         {name: entry['headers'][name] for name in names}, entry['body'])
    request.context['timestamp'] = entry['headers']['X-Amz-Date']
    canonical = auth.canonical_request(request)
    auth._inject_signature_to_request(
        request, auth.signature(auth.string_to_sign(request, canonical), request))
    return request.headers['Authorization']


@pytest.mark.parametrize('key', ['', 'k' * 1025, 'é' * 513])
def test_keys_that_cannot_be(bucket, key):
    with pytest.raises(psycopg.Error, match='a key of S3 has 1 to 1024 bytes'):
        bucket.put(key, b'')


# locations

@pytest.mark.parametrize('url, bucket, prefix', [
    ('s3://abc', 'abc', ''), ('s3://abc/', 'abc', ''), ('s3://a.b-c.9/x', 'a.b-c.9', 'x/'),
    ('s3://abc/x/y/', 'abc', 'x/y/'), ('s3://abc/x y/é?#%20', 'abc', 'x y/é?#%20/'),
    ('s3://' + 'a' * 63 + '//', 'a' * 63, '/')])
def test_locations(unit, url, bucket, prefix):
    assert unit.execute('SELECT * FROM unit.s3_parse_url(%s)', (url,)).fetchone() == (
        bucket, prefix)


@pytest.mark.parametrize('url', [
    '', 'abc', 'https://abc/x', 'S3://abc', 's3:/abc', 's3://', 's3:///x', 's3://ab', 's3://Abc',
    's3://-abc', 's3://abc.', 's3://a..b', 's3://a_b', 's3://' + 'a' * 64, 's3://abc?x',
    's3://abc:80/x', 's3://AKID:secretSECRET@abc/x', 's3://abc/x\ny', 's3://abc/' + 'x' * 769])
def test_locations_that_cannot_be(unit, url):
    with pytest.raises(psycopg.Error) as raised:
        unit.execute('SELECT * FROM unit.s3_parse_url(%s)', (url,))
    assert raised.value.sqlstate == 'HV024'
    assert 's3://bucket/prefix' in raised.value.diag.message_hint
    assert 'secretSECRET' not in str(raised.value) + str(raised.value.diag.message_detail)


@pytest.mark.parametrize('region, endpoint, s3_endpoint, bucket, url', [
    ('eu-west-1', None, None, 'abc', 'https://abc.s3.eu-west-1.amazonaws.com/'),
    ('cn-north-1', None, None, 'abc', 'https://abc.s3.cn-north-1.amazonaws.com.cn/'),
    ('eu-west-1', None, None, 'a.b', 'https://s3.eu-west-1.amazonaws.com/a.b/'),
    ('eu-west-1', 'http://h:9', None, 'abc', 'http://h:9/abc/'),
    ('eu-west-1', 'http://h:9', 'https://s3/', 'abc', 'https://s3/abc/'),
    ('eu-west-1', None, 'https://proxy/s3', 'abc', 'https://proxy/s3/abc/')])
def test_where_a_bucket_is(unit, region, endpoint, s3_endpoint, bucket, url):
    assert unit.execute('SELECT unit.s3_bucket_url(%s, %s, %s, %s)',
                        (region, endpoint, s3_endpoint, bucket)).fetchone() == (url,)


# credentials

@pytest.mark.parametrize('wrong, code', [
    ({'secret_key': 'wrongSECRET'}, 'SignatureDoesNotMatch'),
    ({'access_key': 'AKIAUNKNOWNUNKNOWN00'}, 'InvalidAccessKeyId')])
def test_wrong_keys(bucket, moto, wrong, code):
    bucket.point(moto.url, **wrong)
    with pytest.raises(psycopg.errors.InvalidAuthorizationSpecification) as raised:
        bucket.put('key', b'')
    assert code in raised.value.diag.message_detail
    assert 'user mapping' in raised.value.diag.message_hint
    for secret in ('wrongSECRET', moto.secret_key):
        assert secret not in str(raised.value) + raised.value.diag.message_detail


def test_session_token_is_signed(bucket, moto):
    iam, sts = moto.client('iam'), moto.client('sts')
    name = f'writer-{uuid.uuid4().hex[:8]}'
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument='{}')['Role']['Arn']
    iam.put_role_policy(RoleName=name, PolicyName='s3', PolicyDocument=(
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'))
    assumed = sts.assume_role(RoleArn=role, RoleSessionName='test')['Credentials']
    keys = {'access_key': assumed['AccessKeyId'], 'secret_key': assumed['SecretAccessKey']}
    bucket.point(moto.url, token='wrong', **keys)
    with pytest.raises(psycopg.Error):
        bucket.put('key', b'')
    bucket.point(moto.url, token=assumed['SessionToken'], **keys)
    bucket.upload('key', noise(PART + 1))
    assert bucket.delete('other') == []
    assert bucket.keys() == ['key']


# faults that pass

@pytest.mark.parametrize('code, status', [
    ('SlowDown', 503), ('InternalError', 500), ('ServiceUnavailable', 503), ('RequestTimeout', 400),
    ('OperationAborted', 409), ('BadDigest', 400)])
@pytest.mark.parametrize('op', ['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'])
def test_refusals_that_are_retried(proxied, op, code, status):
    data = noise(PART + 1)
    refuse(proxied.proxy, op, code, status, first=1)
    proxied.upload('key', data)
    assert proxied.get('key') == data
    assert operations(proxied.proxy).count(op) == {'UploadPart': 3}.get(op, 2)


@pytest.mark.parametrize('op', ['PutObject', 'UploadPart', 'CreateMultipartUpload',
                                'CompleteMultipartUpload'])
@pytest.mark.parametrize('fault', ['reset', 'lose', 'cut'])
def test_connections_that_break(proxied, op, fault):
    """lose: the service has done it, and nobody knows."""
    data = noise(PART + 1 if op != 'PutObject' else 1000)
    inject = getattr(proxied.proxy, fault)
    if fault == 'cut':
        inject(op, 20, first=1)
    else:
        inject(op, first=1)
    proxied.upload('key', data)
    assert proxied.get('key') == data
    left = 1 if op == 'CreateMultipartUpload' and fault != 'reset' else 0
    assert len(proxied.uploads()) == left


def test_a_complete_upload_whose_answer_is_lost(proxied):
    """The second Complete finds no upload, and the object tells why."""
    data = noise(PART + 1)
    proxied.proxy.lose('CompleteMultipartUpload', first=1)
    refuse(proxied.proxy, 'CompleteMultipartUpload', 'NoSuchUpload', 404)
    proxied.upload('key', data)
    assert proxied.get('key') == data
    assert operations(proxied.proxy)[-1] == 'HeadObject'


def test_a_success_that_is_none(proxied):
    """Complete answers 200 before it knows, and may still say that it failed."""
    data = noise(PART + 1)
    proxied.proxy.raw('CompleteMultipartUpload', b' \n\n ' + xml_error('InternalError'), first=1)
    proxied.upload('key', data)
    assert proxied.get('key') == data
    assert operations(proxied.proxy).count('CompleteMultipartUpload') == 2


# faults that do not

def failure(bucket, data, **kw):
    with pytest.raises(psycopg.Error) as raised:
        bucket.upload('key', data, **kw)
    assert raised.value.diag.message_primary == f'could not upload "{bucket.url("key")}"'
    return raised.value


@pytest.mark.parametrize('op', ['UploadPart', 'CompleteMultipartUpload'])
def test_a_failed_upload_leaves_nothing(proxied, op):
    refuse(proxied.proxy, op, 'AccessDenied', 403, 'Not &quot;you&quot; &amp; yours')
    error = failure(proxied, noise(PART + 1))
    assert error.sqlstate == '42501'
    assert 'AccessDenied: Not "you" & yours.' in error.diag.message_detail
    assert 'Request ID injected-id.' in error.diag.message_detail
    assert proxied.keys() == [] and proxied.uploads() == []
    assert operations(proxied.proxy)[-1] == 'AbortMultipartUpload'


def test_a_failed_upload_cannot_be_finished(proxied):
    """What is left in memory is not the object."""
    refuse(proxied.proxy, 'UploadPart', 'AccessDenied', 403, after=1)
    error = failure(proxied, noise(3 * PART), at_end='again')
    assert (error.sqlstate, error.diag.message_detail) == ('55000', 'A part of it has failed.')
    assert proxied.keys() == [] and proxied.uploads() == []


def test_retries_are_bounded(proxied):
    refuse(proxied.proxy, 'PutObject', 'SlowDown', 503)
    error = failure(proxied, b'data')
    assert error.sqlstate == '53400' and 'Tried 3 times.' in error.diag.message_detail
    assert 'fewer requests' in error.diag.message_hint


def test_a_bucket_that_is_not_there(bucket):
    bucket.client.delete_bucket(Bucket=bucket.name)
    for data in (b'', noise(PART + 1)):
        error = failure(bucket, data)
        assert error.sqlstate == '42704' and 'NoSuchBucket' in error.diag.message_detail
        assert "bucket's name" in error.diag.message_hint


@pytest.mark.parametrize('status, body, headers', [
    (301, xml_error('PermanentRedirect', more='<Endpoint>b.s3.eu-west-1.amazonaws.com</Endpoint>'),
     [('x-amz-bucket-region', 'eu-west-1')]),
    (307, xml_error('TemporaryRedirect'), [('x-amz-bucket-region', 'eu-west-1'),
                                           ('Location', 'http://127.0.0.1:1/')]),
    (400, xml_error('AuthorizationHeaderMalformed', more='<Region>eu-west-1</Region>'), []),
    (301, b'', [('x-amz-bucket-region', 'eu-west-1')])])
def test_a_bucket_in_another_region(proxied, status, body, headers):
    proxied.proxy.raw('PutObject', body, status, headers)
    error = failure(proxied, b'')
    assert 'The bucket is in region "eu-west-1"' in error.diag.message_hint
    assert len(proxied.proxy.requests()) == 1


def test_a_redirect_to_nowhere_known(proxied):
    refuse(proxied.proxy, 'PutObject', 'PermanentRedirect', 301)
    assert 'the bucket is in another one' in failure(proxied, b'').diag.message_hint


@pytest.mark.parametrize('op, answer, headers, why', [
    ('PutObject', b'', [], 'no ETag'),
    ('PutObject', b'', [('ETag', '"%s"' % ('0' * 32))], 'not the MD5'),
    ('UploadPart', b'', [], 'no ETag'),
    ('UploadPart', b'', [('ETag', '"%s"' % ('0' * 32))], 'not the MD5'),
    ('CreateMultipartUpload', b'<html>ok</html>', [], 'no UploadId'),
    ('CreateMultipartUpload', b'', [], 'no UploadId'),
    ('CompleteMultipartUpload', b'<html>ok</html>', [], 'no CompleteMultipartUploadResult'),
    ('CompleteMultipartUpload', b'', [], 'no CompleteMultipartUploadResult')])
def test_answers_that_make_no_sense(proxied, op, answer, headers, why):
    proxied.proxy.raw(op, answer, 200, headers)
    error = failure(proxied, b'' if op == 'PutObject' else noise(PART + 1))
    assert why in error.diag.message_detail


@pytest.mark.parametrize('headers', [
    [('x-amz-server-side-encryption', 'aws:kms')],
    [('x-amz-server-side-encryption-customer-algorithm', 'AES256')]])
def test_the_etag_of_what_is_encrypted_is_no_md5(proxied, headers):
    proxied.proxy.raw('PutObject', b'', 200, [('ETag', '"%s"' % ('0' * 32)), *headers])
    proxied.upload('key', b'data')


@pytest.mark.parametrize('etag', ['"%s-1"' % ('0' * 32), '"opaque"', '"%s"' % ('Z' * 32), 'bare'])
def test_an_etag_of_another_kind(proxied, etag):
    proxied.proxy.raw('PutObject', b'', 200, [('ETag', etag)])
    proxied.upload('key', b'data')


def test_a_lost_upload_is_not_taken_for_a_complete_one(proxied):
    """The second Complete finds no upload, and the key has another object."""
    proxied.put('key', b'old')
    proxied.proxy.reset('CompleteMultipartUpload', first=1)
    refuse(proxied.proxy, 'CompleteMultipartUpload', 'NoSuchUpload', 404)
    error = failure(proxied, noise(PART + 1))
    assert 'NoSuchUpload' in error.diag.message_detail
    assert proxied.get('key') == b'old'


# giving up

def test_abort(proxied):
    for n_bytes in (10, PART + 1):
        proxied.upload('key', noise(n_bytes), at_end='abort')
        assert proxied.keys() == [] and proxied.uploads() == []
    assert operations(proxied.proxy) == [
        'CreateMultipartUpload', 'UploadPart', 'AbortMultipartUpload']


def test_abandon(proxied):
    """Memory ends, and nothing is sent."""
    proxied.upload('key', noise(PART + 1), at_end='abandon')
    assert operations(proxied.proxy) == ['CreateMultipartUpload', 'UploadPart']
    assert len(proxied.uploads()) == 1 and proxied.keys() == []


@contextlib.contextmanager
def uploading(bucket, data):
    """An upload that is canceled meanwhile."""
    raised = []

    def run():
        try:
            bucket.upload('key', data)
        except psycopg.Error as error:
            raised.append(error)
    thread = threading.Thread(target=run)
    thread.start()
    yield thread
    thread.join()
    assert isinstance(raised[0], psycopg.errors.QueryCanceled)


@pytest.mark.parametrize('op', ['PutObject', 'CreateMultipartUpload', 'UploadPart',
                                'CompleteMultipartUpload'])
def test_a_cancel_ends_it_at_once(proxied, op):
    held = proxied.proxy.hold(op, first=1)
    with uploading(proxied, noise(PART + 1 if op != 'PutObject' else 10)):
        held.wait()
        began = time.monotonic()
        proxied.unit.cancel()
    assert time.monotonic() - began < 3
    assert ('AbortMultipartUpload' in operations(proxied.proxy)) == (
        op in ('UploadPart', 'CompleteMultipartUpload'))


def test_another_cancel_does_not_cut_the_abort(proxied):
    part = proxied.proxy.hold('UploadPart', first=1)
    abort = proxied.proxy.hold('AbortMultipartUpload', first=1)
    with uploading(proxied, noise(PART + 1)) as thread:
        part.wait()
        proxied.unit.cancel()
        abort.wait()
        for _ in range(10):
            proxied.unit.cancel()
        assert thread.is_alive()
        abort.release()
    assert proxied.uploads() == []


def test_an_abort_that_fails_hides_nothing(proxied):
    refuse(proxied.proxy, 'UploadPart', 'AccessDenied', 403)
    refuse(proxied.proxy, 'AbortMultipartUpload', 'InternalError', 500)
    assert failure(proxied, noise(PART + 1)).sqlstate == '42501'
    assert operations(proxied.proxy).count('AbortMultipartUpload') == 1


# deletes

def test_deletes(bucket):
    keys = [f'dir/{i}' for i in range(1005)]
    for key in keys[:3] + keys[-2:]:
        bucket.put(key, b'x')
    bucket.put('stays', b'x')
    assert bucket.delete(*keys) == []
    assert bucket.keys() == ['stays']
    assert bucket.delete() == []


def test_deletes_go_by_the_thousand(proxied):
    proxied.proxy.raw('DeleteObjects', b'<DeleteResult/>')
    proxied.delete(*(f'{i}' for i in range(2001)))
    assert [entry['body'].count(b'<Key>') for entry in proxied.proxy.requests()] == [1000, 1000, 1]
    for entry in proxied.proxy.requests():
        assert entry['headers']['Content-MD5'] == \
            base64.b64encode(hashlib.md5(entry['body']).digest()).decode()


def test_deletes_that_fail_are_told_by_key(proxied):
    proxied.proxy.raw('DeleteObjects', (
        '<?xml version="1.0"?><DeleteResult xmlns="x"><Error><Key>a &amp; &lt;b&gt;</Key>'
        '<Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
        '<Error><Key>é&#13;</Key><Code>InternalError</Code><Message/></Error></DeleteResult>'
    ).encode())
    assert proxied.delete('a & <b>', 'é\r', 'gone') == [
        ('a & <b>', '42501', 'AccessDenied: Access Denied.'), ('é\r', 'HV000', 'InternalError.')]


def test_a_delete_that_fails_as_a_whole(proxied):
    refuse(proxied.proxy, 'DeleteObjects', 'AccessDenied', 403)
    assert [(key, state) for key, state, _ in proxied.delete('a', 'b')] == [
        ('a', '42501'), ('b', '42501')]


@pytest.mark.parametrize('answer', [
    b'', b'<html/>', b'<Error><Code>InternalError</Code></Error>',
    b'<DeleteResult><Error><Key>x</Key><Code>A</Code></Error></DeleteResult>',
    b'<DeleteResult><Error><Code>A</Code></Error></DeleteResult>'])
def test_a_delete_whose_answer_makes_no_sense(proxied, answer):
    proxied.proxy.raw('DeleteObjects', answer)
    assert [row[0] for row in proxied.delete('a', 'b')] == ['a', 'b']


def test_a_delete_is_retried(proxied):
    proxied.put('key', b'x')
    refuse(proxied.proxy, 'DeleteObjects', 'SlowDown', 503, first=1)
    proxied.proxy.lose('DeleteObjects', first=1)
    assert proxied.delete('key') == [] and proxied.keys() == []
