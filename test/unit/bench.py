#!/usr/bin/env python3
"""Processor time to decode records, in seconds a million: two shapes of events,
with some of their columns left out to tell what each costs.

    bench.py [SECONDS]      so long for each line, about
"""
import datetime
import json
import pathlib
import random
import sys
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from harness.cluster import Cluster     # noqa: E402

RECORDS = 1000
ENTITY = {'id': 'bigint', 'name': 'text', 'description': 'text', 'ok': 'boolean'}
PAGE_VIEW = {'event_id': 'uuid', 'event_time': 'timestamptz', 'event': 'text',
             'user_id': 'bigint', 'session_id': 'int', 'duration': 'float8',
             'amount': 'numeric', 'is_mobile': 'boolean', 'url': 'text', 'properties': 'jsonb'}


def entity(rng):
    return {'id': rng.randrange(10**8), 'name': f'entity {rng.randrange(10**6)}',
            'description': 'short description of the entity', 'ok': rng.random() < 0.5}


def page_view(rng):
    when = datetime.datetime(2026, 11, 23) + datetime.timedelta(milliseconds=rng.randrange(10**9))
    return {
        'event_id': str(uuid.UUID(int=rng.getrandbits(128))),
        'event_time': when.isoformat(timespec='milliseconds') + 'Z',
        'event': rng.choice(['page_view', 'search', 'sign_in']),
        'user_id': rng.randrange(10**7), 'session_id': rng.randrange(10**9),
        'duration': round(rng.random() * 60, 3), 'amount': rng.randrange(10**6) / 100,
        'is_mobile': rng.random() < 0.5, 'url': f'/projects/{rng.randrange(1000)}/items?sort=asc',
        'properties': {
            'page': {'title': f'Items {rng.randrange(100)}', 'section': 'projects'},
            'browser': {'name': 'Firefox', 'version': rng.randrange(90, 140), 'lang': 'en-US'},
            'screen': {'w': 1920, 'h': 1080, 'dpr': 1.5}, 'referrer': None,
            'tags': rng.sample(['a', 'new', 'beta', 'paid', 'team'], 2),
            'experiment': rng.random() < 0.5}}


def shapes():
    yield 'entity', entity, ENTITY
    yield 'page view', page_view, PAGE_VIEW
    yield 'page view, no jsonb', page_view, {
        name: kind for name, kind in PAGE_VIEW.items() if kind != 'jsonb'}
    for name, kind in PAGE_VIEW.items():
        yield f'only {name} {kind}', page_view, {name: kind}
    yield 'no column of these', page_view, {'other': 'text'}


def measure(conn, name, make, columns, seconds):
    rng = random.Random(1)
    payloads = [json.dumps(make(rng), separators=(',', ':')) for _ in range(RECORDS)]
    listed = ', '.join(f'{column} {kind}' for column, kind in columns.items())
    conn.execute(f'CREATE TEMP TABLE shape ({listed})')

    def spent(rounds):
        return conn.execute("SELECT unit.row_decode_seconds('shape', %s, %s)",
                            (payloads, rounds)).fetchone()[0]
    spent(20)
    rounds = max(1, int(seconds / 5 / (spent(20) / 20)))
    tries = sorted(spent(rounds) / rounds / RECORDS * 1e6 for _ in range(5))
    size = sum(map(len, payloads)) / RECORDS
    print(f'{name:28} {size:4.0f} bytes: {tries[2]:6.3f}  ({tries[0]:.3f} to {tries[4]:.3f})',
          flush=True)
    conn.execute('DROP TABLE shape')


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    with Cluster(preload=False) as cluster, cluster.connect() as conn:
        conn.execute('CREATE EXTENSION tracking_unit')
        for name, make, columns in shapes():
            measure(conn, name, make, columns, seconds)


if __name__ == '__main__':
    main()
