"""A scan ends on a stream that is being written to at full speed, and counts
everything that was put before it began."""
import threading

from harness.records import put as put_records


class Writer(threading.Thread):
    """Puts records as fast as it can; acknowledged is how many are in."""

    def __init__(self, server, stream):
        super().__init__(daemon=True)
        self.client, self.stream = server.client(), stream
        self.acknowledged = 0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.is_set():
            self.acknowledged += put_records(
                self.client, self.stream, ['{"id":%d}' % (self.acknowledged + i)
                                           for i in range(250)])


def test_count_while_writing(db, sql_server, kinesis, make_stream, wait_until):
    stream = make_stream(kinesis, 4)
    sql_server(db, kinesis.url)
    db.foreign_table('t', 'id int', stream)
    db.sql("SET statement_timeout = '60s'")
    writers = [Writer(kinesis, stream) for _ in range(2)]

    def acknowledged():
        return sum(w.acknowledged for w in writers)
    for writer in writers:
        writer.start()
    try:
        wait_until(lambda: acknowledged() >= 1000)
        before = acknowledged()
        counted = db.value('SELECT count(*) FROM t')
        assert counted >= before
        after = acknowledged()
        wait_until(lambda: acknowledged() > after, what='writers still at work')
    finally:
        for writer in writers:
            writer.ended.set()
        for writer in writers:
            writer.join()
    assert db.value('SELECT count(*) FROM t') == acknowledged()
