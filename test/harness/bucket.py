"""Objects in S3, put there by boto3: a client that is not ours."""
import json
import uuid


class Bucket:
    """A bucket in S3."""

    def __init__(self, server):
        self.client = server.client('s3')
        self.name = f'test-{uuid.uuid4().hex[:12]}'
        self.client.create_bucket(Bucket=self.name)

    def put(self, key, data):
        """Put bytes, text, or what is to become JSON; its URL."""
        if not isinstance(data, (bytes, str)):
            data = json.dumps(data)
        self.client.put_object(Bucket=self.name, Key=key,
                               Body=data.encode() if isinstance(data, str) else data)
        return self.url(key)

    def url(self, key):
        return f's3://{self.name}/{key}'

    def keys(self, prefix=''):
        listed = self.client.list_objects_v2(Bucket=self.name, Prefix=prefix)
        return [entry['Key'] for entry in listed.get('Contents', ())]

    def manifest(self, key, urls, **entry):
        """A manifest that names these, as mandatory unless said otherwise."""
        entry.setdefault('mandatory', True)
        return self.put(key, {'entries': [{'url': url, **entry} for url in urls]})
