"""Records for streams, put there by boto3: a client that is not ours."""
import json
import threading
import uuid

from .wait import wait_until

BATCH_RECORDS, BATCH_BYTES = 500, 4 * 1024 * 1024


def make_stream(server, shards=1):
    """A new stream of that many shards on server, ACTIVE; its name."""
    name = f'test-{uuid.uuid4().hex[:12]}'
    client = server.client()
    client.create_stream(StreamName=name, ShardCount=shards)
    wait_until(lambda: client.describe_stream_summary(StreamName=name)
               ['StreamDescriptionSummary']['StreamStatus'] == 'ACTIVE',
               what=f'stream {name}')
    return name


def _entry(record):
    """A record is data, or a pair of data and partition key; data is bytes,
    text, or anything that is to become JSON."""
    data, key = record if isinstance(record, tuple) else (record, uuid.uuid4().hex)
    if not isinstance(data, (bytes, str)):
        data = json.dumps(data, separators=(',', ':'), ensure_ascii=False)
    return {'Data': data.encode() if isinstance(data, str) else data, 'PartitionKey': key}


def _chunks(entries):
    chunk, size = [], 0
    for entry in entries:
        if chunk and (len(chunk) == BATCH_RECORDS or size + len(entry['Data']) > BATCH_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(entry)
        size += len(entry['Data']) + len(entry['PartitionKey'])
    if chunk:
        yield chunk


def put(client, stream, records):
    """Put records, each until it is accepted; return how many."""
    n = 0
    for chunk in _chunks(map(_entry, records)):
        while chunk:
            results = client.put_records(StreamName=stream, Records=chunk)['Records']
            refused = [e for e, r in zip(chunk, results) if r.get('ErrorCode')]
            n += len(chunk) - len(refused)
            chunk = refused
    return n


def ids(n, start=0):
    """Records with ids from start on."""
    return [{'id': i, 'name': f'n{i}'} for i in range(start, start + n)]


class Producer(threading.Thread):
    """Puts records with rising ids until it is told to end."""

    def __init__(self, server, stream):
        super().__init__(daemon=True)
        self.client, self.stream, self.n = server.client(), stream, 0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(0.05):
            put(self.client, self.stream, ids(50, self.n))
            self.n += 50

    def end(self):
        self.ended.set()
        self.join()
        return self.n
