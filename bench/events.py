"""The events that the bench loads: what they are as JSON and as CSV, and what
their sum is.

A content is a number of distinct events; a stream or file of more events
begins anew after the last.  All of it follows from the event's number.
"""
import csv
import io
import json
import uuid

DISTINCT = 100_000


ARRIVED = "OPTIONS (metadata 'approximate_arrival_timestamp')"


def path(where):
    return f"OPTIONS (path '{where}')"


class Shape:
    """A kind of event: name, columns as (name, type, options as a source), and
    the column to sum up."""
    name = None
    columns = ()
    summed = None
    # for a command: a cast, and a filter that keeps every row
    select, where = None, None

    def json(self, i):
        raise NotImplementedError

    def row(self, event):
        raise NotImplementedError

    def value(self, i):
        """What event i adds to the sum."""
        raise NotImplementedError

    def table(self):
        return ', '.join(f'{name} {kind}' for name, kind, _ in self.columns)

    def foreign_table(self):
        return ', '.join(' '.join(column) for column in self.columns)


class Entity(Shape):
    """100 bytes, and the time of arrival."""
    name = 'entity'
    columns = (('id', 'bigint', ''), ('name', 'text', ''), ('description', 'text', ''),
               ('arrived', 'timestamptz', ARRIVED))
    summed = 'id'
    select = 'id, name, description::varchar(100), arrived'
    where = 'id >= 0'

    def json(self, i):
        return {'id': i, 'name': f'entity {i}',
                'description': f'what the entity {i} is here for, in a few words'}

    def row(self, event):
        i = event['id']
        arrived = f'2026-11-{1 + i % 28:02} {i % 24:02}:{i % 60:02}:{i % 59:02}.{i % 1000:03}+00'
        return (*event.values(), arrived)

    def value(self, i):
        return i


class PageView(Shape):
    """470 bytes, nested."""
    name = 'pageview'
    columns = (('event_id', 'uuid', ''), ('type', 'text', ''),
               ('occurred_at', 'timestamptz', ''), ('user_id', 'bigint', path('$.user.id')),
               ('plan', 'text', path('$.user.plan')),
               ('signed_in', 'boolean', path('$.user.signed_in')),
               ('url', 'text', path('$.page.url')), ('referrer', 'text', path('$.page.referrer')),
               ('load_ms', 'double precision', path('$.page.load_ms')), ('price', 'numeric', ''),
               ('properties', 'jsonb', ''))
    summed = 'user_id'
    select = ('event_id, type, occurred_at, user_id, plan, signed_in, url::varchar(200), '
              'referrer, load_ms, price, properties')
    where = "occurred_at >= '2000-01-01'"

    def json(self, i):
        return {
            'event_id': str(uuid.UUID(int=(i * 0x9e3779b97f4a7c15f39cc0605cedc835) % 2**128)),
            'type': ('page_view', 'search', 'click')[i % 3],
            'occurred_at': f'2026-11-{1 + i % 28:02}T{i % 24:02}:{i % 60:02}:{i % 59:02}.'
                           f'{i % 1000:03}Z',
            'user': {'id': i * 7 % 400_000, 'plan': ('free', 'pro')[i % 2],
                     'signed_in': i % 5 != 0},
            'page': {'url': f'https://app.example.com/projects/{i % 9973}/items?page={i % 17}',
                     'referrer': f'https://app.example.com/projects/{i % 997}',
                     'load_ms': i % 2000 / 8 + 0.125},
            'price': round(i % 100_000 / 100, 2),
            'properties': {
                'browser': ('Firefox 143', 'Chrome 141', 'Safari 19')[i % 3],
                'screen': {'w': 1920, 'h': 1080, 'dpr': 1.5}, 'language': 'en-GB',
                'tags': [f'tag{i % 7}', 'beta'], 'experiment': None, 'items': i % 50,
                'dark': i % 2 == 0}}

    def row(self, event):
        user, page = event['user'], event['page']
        return (event['event_id'], event['type'], event['occurred_at'], user['id'], user['plan'],
                user['signed_in'], page['url'], page['referrer'], page['load_ms'],
                event['price'], compact(event['properties']))

    def value(self, i):
        return i * 7 % 400_000


class Typed(PageView):
    """Page views of so many types, each of which has properties of its own."""

    def __init__(self, n_types):
        self.n_types = n_types
        self.name = f'typed{n_types}'

    def json(self, i):
        kind = i * 7919 % self.n_types
        event = super().json(i)
        event['properties'] = {f'property_{kind}': i, f'is_{kind}': i % 2 == 0,
                               **event['properties'], f'text_{kind}': f'of type {kind}'}
        return event


class Sized(Shape):
    """Records of a size of one's choice: a number and a text."""
    columns = (('id', 'bigint', ''), ('filler', 'text', ''))
    summed = 'id'

    def __init__(self, size):
        self.size = size
        self.name = f'sized{size}'

    def json(self, i):
        around = len(compact({'id': i, 'filler': ''}))
        words = f'{i} is the number of this one, '
        return {'id': i, 'filler': (words * (self.size // len(words) + 1))[:self.size - around]}

    def row(self, event):
        return event.values()

    def value(self, i):
        return i


def compact(value):
    return json.dumps(value, separators=(',', ':'))


class Wrong(Exception):
    """The loaded rows are not those of the stream."""


class Files:
    """The replay server's content of a shape, in directory, for streams of n
    events; and after write(), files with the same n events for COPY."""

    def __init__(self, shape, n_events, directory, distinct=DISTINCT):
        self.shape, self.n_events = shape, n_events
        self.distinct = min(distinct, n_events)
        self.sum = self.sum_of(n_events)
        self.content = directory / f'{shape.name}.content'
        self.lines = directory / f'{shape.name}.jsonl'
        self.csv = directory / f'{shape.name}.csv'
        self._events = [shape.json(i) for i in range(self.distinct)]
        self._json_lines = [compact(event) + '\n' for event in self._events]
        self.content.write_text(''.join(self._json_lines))
        self.event_bytes = sum(map(len, self._json_lines)) / self.distinct - 1

    def write(self):
        self._repeat(self.lines, self._json_lines)
        self._repeat(self.csv, [self._csv_line(event) for event in self._events])
        return self

    def sum_of(self, n_events):
        rounds, rest = divmod(n_events, self.distinct)
        return sum(self.shape.value(i) * (rounds + (i < rest)) for i in range(self.distinct))

    def check(self, what, found, n_events=None):
        """Raise an error unless count and sum are those of n events."""
        n_events = self.n_events if n_events is None else n_events
        if tuple(map(int, found)) != (n_events, self.sum_of(n_events)):
            raise Wrong(f'{what}: count and sum are {tuple(found)}, '
                        f'not {(n_events, self.sum_of(n_events))}')

    def _csv_line(self, event):
        line = io.StringIO()
        csv.writer(line, lineterminator='\n').writerow(
            str(value).lower() if isinstance(value, bool) else value
            for value in self.shape.row(event))
        return line.getvalue()

    def _repeat(self, path, lines):
        rounds, rest = divmod(self.n_events, self.distinct)
        whole = ''.join(lines)
        with open(path, 'w') as file:
            for _ in range(rounds):
                file.write(whole)
            file.write(''.join(lines[:rest]))
