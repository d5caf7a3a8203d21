"""What fails is asked again after a while that grows, and that is nobody else's."""
import json
import threading
import time

import psycopg
import pytest

SHARD = 'shardId-%012d'


# a shard

@pytest.mark.parametrize('throttled', [False, True])
def test_a_shards_delays(unit, throttled):
    """Anything up to a bound that doubles."""
    for failures, ceiling in ((1, 100), (2, 200), (5, 1600), (8, 12800), (20, 20000)):
        if throttled:
            ceiling = min(ceiling * 10, 20000)
        delays = [ms for ms, in unit.execute(
            'SELECT unit.shard_pace_failed_ms(%s, %s) FROM generate_series(1, 400)',
            (failures, throttled))]
        assert 0 <= min(delays) < ceiling * 0.1 and ceiling * 0.9 < max(delays) < ceiling
        assert 0.4 < sum(delays) / len(delays) / ceiling < 0.6


@pytest.mark.parametrize('op, code', [('GetRecords', 'InternalFailure'),
                                      ('GetRecords', 'ProvisionedThroughputExceededException'),
                                      ('GetShardIterator', 'InternalFailure')])
def test_a_shard_that_fails_is_asked_less_and_less(db, source, kinesalite, proxy, wait_until, op,
                                                   code):
    source(url=proxy.url)
    proxy.error(op, code, status=500 if code == 'InternalFailure' else 400)
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    wait_until(lambda: proxy.requests(op))
    began = proxy.requests(op)[0]['at']
    wait_until(lambda: time.monotonic() > began + 10)
    asked = len(proxy.requests(op))
    # at its pace that were 50; after delays of 20 s at the most, some 8
    assert 2 <= asked <= 25
    # and it is, once it is well
    proxy.clear()
    wait_until(lambda: any(not request['fault'] for request in proxy.requests(op)), timeout=40)


# INSERT

def refused(answer):
    return {'FailedRecordCount': 1, 'Records': [
        {'ErrorCode': 'InternalFailure', 'ErrorMessage': 'injected'} for _ in answer['Records']]}


def test_resends_of_insert(db, sql_server, make_stream, kinesalite, proxy):
    """Sessions that send the same again and again, each at times of its own."""
    retries, sessions = 6, 4
    sql_server(db, proxy.url, max_retries=retries)
    db.foreign_table('t', "id int, key text OPTIONS (metadata 'partition_key')",
                     make_stream(kinesalite))
    proxy.rewrite('PutRecords', refused)

    def insert(key):
        with db.connect() as conn, pytest.raises(psycopg.Error, match='could not publish'):
            conn.execute('INSERT INTO t VALUES (1, %s)', (key,))
    threads = [threading.Thread(target=insert, args=(f'k{n}',)) for n in range(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    parts = []              # of the longest that a delay may be
    for n in range(sessions):
        sent = [request for request in proxy.requests('PutRecords')
                if json.loads(request['body'])['Records'][0]['PartitionKey'] == f'k{n}']
        assert len(sent) == retries + 1
        delays = [later['at'] - earlier['answered_at'] for earlier, later in zip(sent, sent[1:])]
        # some three seconds; by chance as little as 0.2 in one of 100,000
        assert sum(delays) > 0.2
        parts += [delay / min(0.1 * 2 ** k, 5) for k, delay in enumerate(delays) if k >= 3]
    assert max(parts) - min(parts) > 0.15
    assert max(parts) < 1.15 and sum(parts) / len(parts) > 0.1
