"""What an answer that refuses means: class, SQLSTATE, words and hint."""
import json

import pytest


@pytest.fixture
def classify(unit):
    def run(status, body=b'', error_type=None, bucket_region=None):
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        cursor = unit.execute('SELECT * FROM unit.aws_error(%s, %s, %s, %s)',
                              (status, error_type, body, bucket_region))
        return dict(zip([c.name for c in cursor.description], cursor.fetchone()))
    return run


@pytest.mark.parametrize('status, code, expected, sqlstate, hint', [
    (400, 'ProvisionedThroughputExceededException', 'throttle', '53400', 'add shards'),
    (400, 'LimitExceededException', 'throttle', '53400', 'again later'),
    (400, 'KMSThrottlingException', 'throttle', '53400', 'again later'),
    (500, 'InternalFailureException', 'retry', 'HV000', None),
    (503, 'ServiceUnavailable', 'retry', 'HV000', None),
    (400, 'RequestTimeout', 'retry', 'HV000', None),
    (400, 'ExpiredIteratorException', 'expired_iterator', 'HV000', None),
    (400, 'ExpiredNextTokenException', 'expired_token', 'HV000', None),
    (400, 'ResourceNotFoundException', 'not_found', 'HV00R', '"endpoint" and "region"'),
    (400, 'ResourceInUseException', 'busy', '55006', 'ACTIVE'),
    (400, 'AccessDeniedException', 'denied', '42501', 'IAM'),
    (400, 'KMSAccessDeniedException', 'denied', '42501', 'KMS key'),
    (403, 'InvalidSignatureException', 'clock', '28000', '"secret_access_key"'),
    (403, 'RequestTimeTooSkewed', 'clock', '28000', 'clock'),
    (403, 'UnrecognizedClientException', 'denied', '28000', '"access_key_id"'),
    (400, 'ExpiredTokenException', 'denied', '28000', '"session_token"'),
    (400, 'MissingAuthenticationTokenException', 'denied', '28000', '"access_key_id"'),
    (400, 'KMSDisabledException', 'fatal', 'HV000', 'KMS key'),
    (400, 'UnknownOperationException', 'fatal', 'HV000', '"endpoint"'),
    (400, 'InvalidArgumentException', 'fatal', 'HV000', None),
    (400, 'ValidationException', 'fatal', 'HV000', None),
    # a code that nobody knows: the status decides
    (400, 'NewException', 'fatal', 'HV000', None),
    (500, 'NewException', 'retry', 'HV000', None),
    (429, 'NewException', 'throttle', '53400', 'again later'),
    (403, 'NewException', 'denied', '42501', 'IAM')])
def test_codes(classify, status, code, expected, sqlstate, hint):
    error = classify(status, {'__type': code, 'message': 'words'})
    assert (error['class'], error['sqlstate']) == (expected, sqlstate)
    assert (error['code'], error['message']) == (code, 'words')
    assert error['hint'] is None if hint is None else hint in error['hint']


@pytest.mark.parametrize('error_type, body', [
    (None, {'__type': 'com.amazonaws.kinesis#SlowDown'}),
    (None, {'__type': 'SlowDown:http://internal.amazon.com/coral/'}),
    (None, {'__type': 'aws.v1#SlowDown:http://host/a#b'}),
    (None, {'code': 'SlowDown'}),
    (None, {'__type': None, 'code': 'SlowDown', 'message': None}),
    ('SlowDown', {'__type': 'Other'}),
    ('SlowDown:http://internal.amazon.com/coral/', b'')])
def test_where_the_code_is(classify, error_type, body):
    error = classify(400, body, error_type)
    assert (error['code'], error['class'], error['message']) == ('SlowDown', 'throttle', '')


@pytest.mark.parametrize('body', [
    {'message': 'no such key'}, {'Message': 'no such key'},
    {'message': None, 'Message': 'no such key'}])
def test_where_the_message_is(classify, body):
    assert classify(400, {'__type': 'X', **body})['message'] == 'no such key'


def test_xml(classify):
    error = classify(403, b'<?xml version="1.0"?>\n<ErrorResponse><Errors><Error>\n'
                     b'<Code>SignatureDoesNotMatch</Code>\n<Message>The request\nsignature'
                     b'</Message></Error></Errors></ErrorResponse>')
    assert (error['code'], error['class']) == ('SignatureDoesNotMatch', 'clock')
    assert error['message'] == 'The request signature'


@pytest.mark.parametrize('status, code, expected, sqlstate, hint', [
    (503, 'SlowDown', 'throttle', '53400', 'fewer requests'),
    (500, 'InternalError', 'retry', 'HV000', None),
    (409, 'OperationAborted', 'retry', 'HV000', None),
    (400, 'BadDigest', 'retry', 'HV000', None),
    (404, 'NoSuchBucket', 'not_found', '42704', "bucket's name"),
    (404, 'NoSuchUpload', 'not_found', '42704', None),
    (403, 'AccessDenied', 'denied', '42501', 'IAM'),
    (400, 'InvalidToken', 'denied', '28000', '"session_token"'),
    (301, 'PermanentRedirect', 'fatal', 'HV000', '"region"'),
    (400, 'EntityTooSmall', 'fatal', 'HV000', None)])
def test_codes_of_s3(classify, status, code, expected, sqlstate, hint):
    error = classify(status, (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code>'
                              '<Message>a &lt; b</Message><Resource>/b/k</Resource>'
                              '<RequestId>4442587FB7D0A2F9</RequestId></Error>').encode())
    assert (error['class'], error['sqlstate']) == (expected, sqlstate)
    assert (error['code'], error['message']) == (code, 'a < b')
    assert error['request_id'] == '4442587FB7D0A2F9'
    assert error['hint'] is None if hint is None else hint in error['hint']


@pytest.mark.parametrize('status, body, header, named', [
    (301, b'<Error><Code>PermanentRedirect</Code></Error>', 'eu-west-1', True),
    (301, b'', 'eu-west-1', True),
    (307, b'', 'eu-west-1', True),
    (400, b'<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>',
     None, True),
    # S3 tells it with other refusals, too, and it is not their reason
    (403, b'<Error><Code>AccessDenied</Code></Error>', 'eu-west-1', False),
    (400, b'<Error><Code>EntityTooSmall</Code></Error>', 'eu-west-1', False)])
def test_the_region_of_a_bucket(classify, status, body, header, named):
    error = classify(status, body, bucket_region=header)
    assert ('region "eu-west-1"' in (error['hint'] or '')) == named


@pytest.mark.parametrize('body', [
    b'', b'<html><body>Bad Gateway</body></html>', b'upstream error', b'[1, 2]', b'null', b'"x"',
    b'{"__type": 7, "message": [1]}', b'{"__type": "cut', b'<Code>cut', b'\0\xff',
    b'{"__type": ""}', b'{"__type": "A#:"}', b'{"__type":"X","pad":"' + b'x' * 100_000 + b'"}'])
@pytest.mark.parametrize('status, expected, sqlstate', [
    (502, 'retry', 'HV000'), (429, 'throttle', '53400'), (403, 'denied', '42501'),
    (404, 'fatal', 'HV000'), (301, 'fatal', 'HV000')])
def test_anything_else_goes_by_the_status(classify, status, expected, sqlstate, body):
    error = classify(status, body)
    assert (error['class'], error['sqlstate']) == (expected, sqlstate)
    assert (error['code'], error['message']) == (f'HTTP {status}', '')
    assert error['hint']


@pytest.mark.parametrize('message, shown', [
    ('x' * 2000, 'x' * 1024 + '...'),
    ('é' * 2000, 'é' * 512 + '...'),
    ('a' + 'é' * 2000, 'a' + 'é' * 511 + '...'),
    ('one\ntwo\ttab\x7f\x9b\u2028\u00a0', 'one two tab   \u00a0')])
def test_foreign_text_is_bounded_and_on_one_line(classify, message, shown):
    assert classify(400, {'__type': 'X', 'message': message})['message'] == shown


def test_foreign_text_is_valid_text(classify):
    error = classify(400, b'<Code>A\xffB</Code><Message>caf\xc3\xa9 \xe2\x28\xa1</Message>')
    assert (error['code'], error['message']) == ('A?B', 'café ?(?')


def test_result_of_a_record(unit):
    rows = [unit.execute('SELECT class, sqlstate, code_out, message_out '
                         'FROM unit.aws_error_from_code(%s, %s)', pair).fetchone()
            for pair in [('ProvisionedThroughputExceededException', 'Rate exceeded'),
                         ('InternalFailure', None), ('Other', '')]]
    assert rows == [
        ('throttle', '53400', 'ProvisionedThroughputExceededException', 'Rate exceeded'),
        ('retry', 'HV000', 'InternalFailure', ''), ('fatal', 'HV000', 'Other', '')]
