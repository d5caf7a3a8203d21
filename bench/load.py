"""A pipeline that fills a table from a stream of the replay server."""
import contextlib
import itertools

from harness.wait import wait_until
from scratch import Bed, Directory, Replay
from events import Files

numbers = itertools.count()
# limit for one load; none takes so long
TIMEOUT = 600


@contextlib.contextmanager
def bed_of(*shapes, n_events, **kw):
    """A bed whose replay server has these shapes, and their Files."""
    with Directory() as directory:
        files = [Files(shape, n_events, directory, **kw) for shape in shapes]
        with Replay(files) as replay, Bed(replay) as bed:
            yield bed, files


class Load:
    """suffix: the end of the stream's name, which describes it (see
    replay/replay.h), without the number of records; settings: arguments of
    create_pipeline."""

    def __init__(self, bed, files, suffix, n_events=None, **settings):
        self.bed, self.files = bed, files
        self.n_events = files.n_events if n_events is None else n_events
        self.name = f'load{next(numbers)}'
        self.table = f'{self.name}_t'
        bed.sql(f'CREATE TABLE {self.table} ({files.shape.table()})')
        bed.foreign_table(f'{self.name}_src', files.shape.foreign_table(),
                          f'{files.shape.name}.n{self.n_events}{suffix}')
        named = ''.join(f', {setting} => %s' for setting in settings)
        bed.sql('SELECT tracking.create_pipeline(%s, %s, target => %s, enabled => false'
                f'{named})', self.name, f'{self.name}_src', self.table, *settings.values())

    def reset(self):
        self.bed.sql(f'TRUNCATE {self.table}')
        self.bed.sql('TRUNCATE tracking.batch')
        self.bed.sql("SELECT tracking.reset_pipeline(%s, 'trim_horizon')", self.name)

    def check(self):
        self.files.check(self.name, self.bed.sql(
            f'SELECT count(*), sum({self.files.shape.summed}) FROM {self.table}')[0],
            self.n_events)

    def by_call(self):
        """Cost of CALL run_pipeline: one backend's."""
        self.reset()
        cost = self.bed.measure(lambda: self.bed.work.execute(
            f"CALL tracking.run_pipeline('{self.name}')"))
        self.check()
        return cost

    # background workers

    def start(self):
        self.bed.sql('SELECT tracking.start_pipeline(%s)', self.name)

    def stop(self):
        self.bed.sql('SELECT tracking.stop_pipeline(%s)', self.name)
        wait_until(lambda: not self.worker_pids(), what='the end of the workers')

    def worker_pids(self):
        return [pid for pid, in self.bed.sql(
            'SELECT r.pid FROM tracking.pipeline_runner r JOIN tracking.pipeline p '
            'ON p.id = r.pipeline_id WHERE p.name = %s AND r.worker IS NOT NULL', self.name)]

    def landed(self):
        return self.bed.value(
            'SELECT coalesce(sum(records), 0) FROM tracking.checkpoint WHERE pipeline = %s',
            self.name)

    def by_workers(self, watch=lambda: None):
        """Cost of background workers, from their start to their end; meanwhile
        watch() is called again and again."""
        self.reset()
        cost = self.bed.measure(lambda: self._work(watch))
        self.check()
        return cost

    def _work(self, watch):
        def done():
            watch()
            return self.landed() == self.n_events
        self.start()
        wait_until(done, TIMEOUT, f'{self.n_events} events in {self.table}')
        self.stop()

    def n_batches(self):
        """Of the last run, as far as the history goes."""
        return self.bed.value('SELECT count(*) FROM tracking.batch WHERE pipeline = %s', self.name)

    def events_per_second(self):
        """From the first batch that was applied to the last one."""
        records, seconds = self.bed.sql(
            'SELECT sum(records) - (array_agg(records ORDER BY id))[1], '
            'extract(epoch FROM max(applied_at) - min(applied_at)) '
            'FROM tracking.batch WHERE pipeline = %s', self.name)[0]
        return float(records / seconds)


def take_turns(loads, rounds):
    """Costs by load, a list over the rounds; and how many batches each made in
    the last one."""
    costs, batches = {load: [] for load in loads}, {}
    for _ in range(rounds):
        for load in loads:
            costs[load].append(load.by_call())
            batches[load] = load.n_batches()
    return costs, batches
