"""Ratios to COPY of the same rows from a CSV file."""
import statistics

import report
from events import Entity, Files, PageView
from scratch import Bed, Directory, Replay

# measure, title, and the highest ratios that it may have: entity, page view
MEASURES = (
    ('copy_csv', 'COPY FROM CSV', None),
    ('copy_json', 'COPY of JSON lines into jsonb', None),
    ('pipeline', 'target pipeline, HTTP', (0.65, 0.42)),
    ('pipeline_tls', 'target pipeline, TLS', (0.80, 0.52)),
    ('command', 'command pipeline, cast and filter', (1.0, 0.55)),
    ('insert_select', 'INSERT INTO t SELECT, cast and filter', (1.0, 0.55)),
    ('count_sum', 'SELECT count(*), sum(id)', (0.40, 0.15)),
    ('count', 'SELECT count(*)', (0.20, 0.06)),
    ('count_one', "SELECT count(*), documents 'one'", (0.20, 0.06)),
)


class ShapeBench:
    """One shape: its tables and pipelines, and a method for each measure."""

    def __init__(self, bed, files, n_shards):
        self.bed, self.files, self.shape = bed, files, files.shape
        shape = self.shape
        self.target = f'{shape.name}_t'
        stream = f'{shape.name}.s{n_shards}.n{files.n_events}'
        bed.sql(f'CREATE TABLE {self.target} ({shape.table()})')
        bed.sql(f'CREATE TABLE {shape.name}_json (event jsonb)')
        for server, suffix in (('aws', ''), ('aws_tls', '_tls')):
            bed.foreign_table(f'{shape.name}_src{suffix}', shape.foreign_table(), stream, server)
            bed.sql('SELECT tracking.create_pipeline(%s, %s, target => %s, enabled => false)',
                    f'{shape.name}{suffix}', f'{shape.name}_src{suffix}', self.target)
        bed.foreign_table(f'{shape.name}_src_one', shape.foreign_table(), stream,
                          documents='one')
        bed.sql('SELECT tracking.create_pipeline(%s, %s, command => %s, enabled => false)',
                f'{shape.name}_command', f'{shape.name}_src', self.command())

    def command(self):
        return (f'INSERT INTO {self.target} SELECT {self.shape.select} '
                f'FROM {self.shape.name}_src WHERE {self.shape.where}')

    # the measures: each returns the (count, sum) to check, or a query for them

    def copy_csv(self):
        self.bed.work.execute(f"COPY {self.target} FROM '{self.files.csv}' (FORMAT csv)")
        return self.of_target()

    def copy_json(self):
        self.bed.work.execute(
            f"COPY {self.shape.name}_json FROM '{self.files.lines}' "
            "(FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')")
        return f'SELECT count(*), {self.files.sum} FROM {self.shape.name}_json'

    def _run(self, suffix):
        self.bed.work.execute(f"CALL tracking.run_pipeline('{self.shape.name}{suffix}')")
        return self.of_target()

    def pipeline(self):
        return self._run('')

    def pipeline_tls(self):
        return self._run('_tls')

    def command_pipeline(self):
        return self._run('_command')

    def insert_select(self):
        self.bed.work.execute(self.command())
        return self.of_target()

    def count_sum(self):
        return self.bed.work.execute(
            f'SELECT count(*), sum({self.shape.summed}) FROM {self.shape.name}_src').fetchone()

    def _count(self, source):
        n, = self.bed.work.execute(f'SELECT count(*) FROM {source}').fetchone()
        return n, self.files.sum

    def count(self):
        return self._count(f'{self.shape.name}_src')

    def count_one(self):
        return self._count(f'{self.shape.name}_src_one')

    def of_target(self):
        return f'SELECT count(*), sum({self.shape.summed}) FROM {self.target}'

    # running them

    def prepare(self):
        self.bed.sql(f'TRUNCATE {self.target}, {self.shape.name}_json')
        for suffix in ('', '_tls', '_command'):
            self.bed.sql("SELECT tracking.reset_pipeline(%s, 'trim_horizon')",
                         self.shape.name + suffix)
        self.bed.sql('TRUNCATE tracking.batch')

    def check(self, what, found):
        if isinstance(found, str):
            found = self.bed.sql(found)[0]
        self.files.check(f'{self.shape.name}, {what}', found)

    def measure(self, what):
        """The cost of a measure; checks its result."""
        method = getattr(self, 'command_pipeline' if what == 'command' else what)
        found = []
        self.prepare()
        cost = self.bed.measure(lambda: found.append(method()))
        self.check(what, found[0])
        return cost


def measure_rounds(benches, rounds):
    """Costs by (shape, what), a list over the rounds; the measures take turns."""
    costs = {}
    for n in range(rounds):
        for bench in benches:
            for what, label, _ in MEASURES:
                cost = bench.measure(what)
                costs.setdefault((bench.shape.name, what), []).append(cost)
                report.progress(f'round {n + 1}, {bench.shape.name:8} {label:38} '
                                f'{cost.cpu:7.2f} s of processor, {cost.elapsed:6.2f} s')
    return costs


def show(costs, benches, n_events):
    million = n_events / 1e6
    head = ['what']
    for bench in benches:
        head += [f'{bench.shape.name}: s per million', 'ratio to COPY CSV', 'at most',
                 'WAL bytes a row']
    rows = [head]
    for what, label, targets in MEASURES:
        row = [label]
        for i, bench in enumerate(benches):
            mine = costs[bench.shape.name, what]
            base = costs[bench.shape.name, 'copy_csv']
            ratios = [cost.cpu / other.cpu for cost, other in zip(mine, base)]
            row += [report.spread([cost.cpu / million for cost in mine]),
                    report.spread(ratios), f'{targets[i]:.2f}' if targets else '',
                    f'{statistics.median(cost.wal for cost in mine) / n_events:.0f}']
        rows.append(row)
    sizes = ', '.join(f'{bench.shape.name} of {bench.files.event_bytes:.0f} bytes'
                      for bench in benches)
    report.table(f'{n_events} events: {sizes}; medians (lowest-highest)', rows)


def run(args):
    with Directory() as directory:
        files = [Files(shape(), args.events, directory).write() for shape in (Entity, PageView)]
        with Replay(files) as replay, Bed(replay) as bed:
            benches = [ShapeBench(bed, each, args.shards) for each in files]
            show(measure_rounds(benches, args.rounds), benches, args.events)
