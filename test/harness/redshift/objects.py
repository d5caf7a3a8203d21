"""Manifests and objects in S3, as COPY reads them."""
import bz2
import gzip
import json
import zlib

import zstandard

from .wire import RedshiftError


class Object:
    def __init__(self, bucket, key, mandatory=True, length=None):
        self.bucket, self.key, self.mandatory, self.length = bucket, key, mandatory, length
        self.url = f's3://{bucket}/{key}'


class Store:
    """S3 as a role or a key sees it; client is boto3's."""

    def __init__(self, client):
        self._client = client

    def _call(self, operation, **arguments):
        from botocore.exceptions import BotoCoreError, ClientError
        try:
            return getattr(self._client, operation)(**arguments)
        except ClientError as error:
            raise _s3_error(error.response) from None
        except BotoCoreError as error:
            raise RedshiftError('XX000', f'S3CurlException: {error},CurlError 7,multiCurlError 0,'
                                'CanRetry 1,UserError 0') from None

    def get(self, bucket, key):
        """The bytes of an object, or None if there is no such key."""
        try:
            return self._call('get_object', Bucket=bucket, Key=key)['Body'].read()
        except NoSuchKey:
            return None

    def listed(self, bucket, prefix):
        """All objects whose keys begin with prefix."""
        found, more = [], {}
        while True:
            page = self._call('list_objects_v2', Bucket=bucket, Prefix=prefix, **more)
            found += [Object(bucket, entry['Key']) for entry in page.get('Contents', ())]
            if not page.get('IsTruncated'):
                return found
            more = {'ContinuationToken': page['NextContinuationToken']}

    def manifest(self, bucket, key):
        """The objects of a manifest, a file as often as it is named."""
        data = self.get(bucket, key)
        if data is None:
            raise RedshiftError('XX000', 'Problem reading manifest file - S3ServiceException:The '
                                'specified key does not exist.,Status 404,Error NoSuchKey',
                                detail=f's3://{bucket}/{key}')
        try:
            return [_entry(entry) for entry in json.loads(data)['entries']]
        except (ValueError, KeyError, TypeError):
            raise RedshiftError('XX000', f'Manifest file is not in correct json format: '
                                f's3://{bucket}/{key}') from None


class NoSuchKey(RedshiftError):
    pass


def _s3_error(response):
    code, status = response['Error'].get('Code'), response['ResponseMetadata']['HTTPStatusCode']
    request_id = response['ResponseMetadata'].get('RequestId', '')
    kind = NoSuchKey if code == 'NoSuchKey' else RedshiftError
    return kind('XX000', f'S3ServiceException:{response["Error"].get("Message")},Status {status},'
                f'Error {code},Rid {request_id},CanRetry 1')


def _entry(entry):
    scheme, _, rest = entry['url'].partition('://')
    bucket, _, key = rest.partition('/')
    if scheme != 's3' or not key or not isinstance(entry.get('mandatory', False), bool):
        raise ValueError
    return Object(bucket, key, entry.get('mandatory', False),
                  entry.get('meta', {}).get('content_length'))


def inflate(data, compression, url):
    try:
        if compression == 'gzip':
            return gzip.decompress(data)
        if compression == 'bzip2':
            return bz2.decompress(data)
        if compression == 'zstd':
            return _unzstd(data)
    except (OSError, EOFError, ValueError, zlib.error, zstandard.ZstdError):
        raise RedshiftError('XX000', f'{compression} decompression of {url} failed') from None
    return data


def _unzstd(data):
    """All frames; one that is cut short is an error."""
    parts = []
    while data:
        frame = zstandard.ZstdDecompressor().decompressobj()
        parts.append(frame.decompress(data))
        if not frame.eof:
            raise EOFError
        data = frame.unused_data
    return b''.join(parts)
