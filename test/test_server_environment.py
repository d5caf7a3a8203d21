"""The environment that a server was started in configures no foreign server."""
from harness.cluster import free_port
from harness.records import ids

NOWHERE = f'http://127.0.0.1:{free_port()}'


def test_a_proxy_in_the_environment_is_not_used(new_cluster, new_db, sql_server, make_stream,
                                                kinesalite, put):
    cluster = new_cluster()
    cluster.stop()
    cluster.env |= {f'{name}_proxy': NOWHERE for name in ('http', 'https', 'all')}
    cluster.start()
    db, stream = new_db(cluster), make_stream(kinesalite)
    put(kinesalite.client(), stream, ids(10))
    sql_server(db, kinesalite.url, max_retries=0)
    db.foreign_table('t', 'id int', stream)
    assert db.value('SELECT count(*) FROM t') == 10
