"""A record that is sent again may go to another shard, if its producer did not say to which."""
import json

import pytest


def one_refused(answer):
    answer['Records'][0] = {'ErrorCode': 'ProvisionedThroughputExceededException',
                            'ErrorMessage': 'injected'}
    return {**answer, 'FailedRecordCount': 1}


@pytest.mark.parametrize('key, kept', [(None, False), ('mine', True)])
def test_the_key_of_a_resent_record(db, sql_server, make_stream, kinesalite, proxy, key, kept):
    sql_server(db, proxy.url)
    db.foreign_table('t', "id int, key text OPTIONS (metadata 'partition_key')",
                     make_stream(kinesalite))
    proxy.rewrite('PutRecords', one_refused, first=1)
    db.sql('INSERT INTO t VALUES (1, %s), (2, %s)', key, key)
    first, again = (json.loads(request['body'])['Records']
                    for request in proxy.requests('PutRecords'))
    assert len(first) == 2 and len(again) == 1
    assert (again[0]['PartitionKey'] == first[0]['PartitionKey']) == kept


@pytest.mark.parametrize('key', ['', 'x' * 257])
def test_a_key_that_the_stream_would_refuse(db, sql_server, make_stream, kinesalite, proxy, key):
    """Before anything is sent."""
    sql_server(db, proxy.url)
    db.foreign_table('t', "id int, key text OPTIONS (metadata 'partition_key')",
                     make_stream(kinesalite))
    with pytest.raises(Exception, match='partition key of row 2') as raised:
        db.sql("INSERT INTO t VALUES (1, 'k'), (2, %s)", key)
    assert raised.value.sqlstate == '22001' and not proxy.requests('PutRecords')
