#!/usr/bin/env python3
"""make demo: events on their way from a Kinesis stream into tables, by SQL
alone, in a throw-away cluster.  With --keep everything is left running."""
import argparse
import contextlib
import json
import pathlib
import re
import subprocess
import sys
import time
import urllib.request

DEMO = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(DEMO.parent / 'test'))

from harness.cluster import Cluster             # noqa: E402
from harness.servers import Kinesalite          # noqa: E402
from harness.wait import wait_until             # noqa: E402

BURST = (DEMO / 'burst.sql').read_text()
PROGRESS = (DEMO / 'progress.sql').read_text()
SECONDS, EVENTS, VIEWS = 10, 200, 300
# what psql prints for a function that returns nothing
VOID = re.compile(r'^ *create_pipeline *\n-+\n *\n\(1 row\)\n', re.MULTILINE)
PUBLISHED_BY_HAND = 3 + 1       # in 2_publish.sql


def heading(text):
    print(f'\n=== {text}\n', flush=True)


def create_stream(kinesis, name):
    """What an administrator does in AWS; the local server wants no proof of
    identity beyond the form of a signature."""
    request = urllib.request.Request(
        kinesis.url, json.dumps({'StreamName': name, 'ShardCount': 2}).encode(),
        {'Content-Type': 'application/x-amz-json-1.1',
         'X-Amz-Target': 'Kinesis_20131202.CreateStream',
         'X-Amz-Date': '20260101T000000Z',
         'Authorization': 'AWS4-HMAC-SHA256 Credential=demo/20260101/us-east-1/kinesis/'
                          'aws4_request, SignedHeaders=host, Signature=0'})
    urllib.request.urlopen(request).close()


class Demo:
    def __init__(self, cluster, kinesis):
        self.cluster, self.kinesis = cluster, kinesis
        self.published = 0

    def psql(self, sql, *options, **variables):
        for name, value in variables.items():
            options += ('-v', f'{name}={value}')
        command = [self.cluster.bindir / 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', *options]
        return subprocess.run(command, env=self.cluster.client_env(), check=True, input=sql,
                              text=True, stdout=subprocess.PIPE).stdout

    def show(self, file, **variables):
        """Run a file paragraph by paragraph, each shown with what it returns."""
        for paragraph in (DEMO / file).read_text().strip().split('\n\n'):
            print(paragraph, end='\n\n')
            result = VOID.sub('', self.psql(paragraph, **variables)).strip('\n')
            if result:
                print(result, end='\n\n', flush=True)

    def progress(self):
        rows, views, seconds, per_minute = self.psql(
            PROGRESS, '-A', '-t', '-F', '|').strip().split('|')
        return int(rows) + int(views), seconds, per_minute

    def line(self):
        landed, seconds, per_minute = self.progress()
        print(f'{self.published:>9} {landed:>9} {self.published - landed:>9} {seconds:>10} s'
              f'     {per_minute}', flush=True)

    def publish_and_watch(self):
        print('published    landed    behind  to the table  views per minute')
        for i in range(2 * SECONDS):
            began = time.monotonic()
            if i % 2 == 0:
                self.psql(BURST, first=4 + i // 2 * EVENTS, n_events=EVENTS, n_views=VIEWS)
                self.published += EVENTS + VIEWS
            self.line()
            time.sleep(max(0, began + 0.5 - time.monotonic()))
        wait_until(lambda: self.progress()[0] == self.published, what='the last rows')
        self.line()
        print('\n"to the table" is the time from arrival in the stream to the commit, of the '
              'last batch.')

    def run(self):
        heading('1. A stream becomes a table')
        for stream in ('tracking', 'page_views'):
            create_stream(self.kinesis, stream)
        self.show('1_stream.sql', endpoint=self.kinesis.url)

        heading('2. INSERT publishes, SELECT reads')
        self.show('2_publish.sql')
        self.published = PUBLISHED_BY_HAND

        heading('3. Pipelines keep tables up to date, each record exactly once')
        self.show('3_pipelines.sql')

        heading(f'4. {SECONDS} seconds of events, published by INSERT')
        self.publish_and_watch()

        heading('5. What came of it')
        self.show('4_result.sql')


def try_next(keep, demo):
    cluster, kinesis = demo.cluster, demo.kinesis
    if not keep:
        heading('Done; the cluster and the Kinesis server are gone')
        print('Next: "make demo KEEP=1" leaves them running for you to play with,\n'
              'README.md says how to point a server at your own stream,\n'
              'and demo/*.sql are the statements you have just seen.')
        return
    pid = (cluster.data / 'postmaster.pid').read_text().split()[0]
    heading('Left running')
    print(f'Enter:  psql -h {cluster.dir} -p {cluster.port} -U postgres\n'
          f"Try:    INSERT INTO events (id, name) VALUES (-1, 'my own event');\n"
          f'        SELECT * FROM kinesis_test WHERE id < 0;\n'
          f'        SELECT * FROM tracking.pipeline_status \\watch 1\n'
          f'Stop:   kill -INT {pid}; kill {kinesis.pid}; '
          f'tail --pid={pid} -f /dev/null; rm -r {cluster.dir}')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--keep', action='store_true')
    keep = parser.parse_args().keep
    with contextlib.ExitStack() as running:
        kinesis = Kinesalite()
        running.callback(kinesis.stop)
        demo = Demo(running.enter_context(Cluster()), kinesis)
        try:
            demo.run()
        except (subprocess.CalledProcessError, AssertionError) as error:
            sys.exit(f'{error}\nThe server log ends:\n{demo.cluster.log_end()}')
        if keep:
            running.pop_all()
    try_next(keep, demo)


if __name__ == '__main__':
    main()
