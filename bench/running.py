"""What a background worker is like while it runs: events a second, idle polls,
memory, latency."""
import os
import time

import report
from events import Entity, PageView
from load import Load, bed_of
from harness.wait import wait_until
from scratch import core_ticks, fine_seconds_of, private_bytes

# so many that the rate at which a shard may be read does not limit two workers
WORKER_SHARDS = 128
# how often to ask whether their load is done: asking takes the same cores
LOOK_SECONDS = 0.2
# the default of batch_bytes
BATCH_MB = 16
IDLE_SECONDS = 10
LIVE_SECONDS, WARM_UP_SECONDS = 20, 4


class Workers:
    """Rounds of a load by n workers: events a second, processor seconds an
    event of the server and of the replay server, and how busy the cores are."""

    def __init__(self, bed, files, n):
        self.replay_pid = bed.replay.pid
        self.load = Load(bed, files, f'.s{WORKER_SHARDS}', workers=n)
        self.rates, self.server, self.replay, self.busy = [], [], [], []

    def round(self):
        replay, ticks = fine_seconds_of(self.replay_pid), core_ticks()
        cost = self.load.by_workers(lambda: time.sleep(LOOK_SECONDS))
        replay = fine_seconds_of(self.replay_pid) - replay
        busy, idle = (now - then for now, then in zip(core_ticks(), ticks))
        self.rates.append(self.load.events_per_second())
        self.server.append(cost.cpu / self.load.n_events)
        self.replay.append(replay / self.load.n_events)
        self.busy.append(busy / (busy + idle))

    def most(self):
        """Events a second, for each round, if the database server and the replay
        server had all cores to themselves."""
        return [os.cpu_count() / (server + replay)
                for server, replay in zip(self.server, self.replay)]


def ratios(values, bases):
    return report.spread([value / base for value, base in zip(values, bases)])


def workers(args):
    rows = [['workers', 'events a second', 'to one', 's per million',
             's of the replay server', 'cores busy, %', 'to one, at most']]
    with bed_of(Entity(), n_events=args.events) as (bed, [files]):
        one, two = (Workers(bed, files, n) for n in (1, 2))
        for _ in range(args.rounds):
            one.round()
            two.round()
    for n, each in ((1, one), (2, two)):
        rows.append([n, report.spread(each.rates, 0), ratios(each.rates, one.rates),
                     report.spread([cpu * 1e6 for cpu in each.server]),
                     report.spread([cpu * 1e6 for cpu in each.replay]),
                     report.spread([busy * 100 for busy in each.busy], 0),
                     ratios(each.most(), one.rates)])
    report.table(f'Workers: {args.events} events, entity, {WORKER_SHARDS} shards, '
                 f'{os.cpu_count()} cores', rows)


def idle(args):
    rows = [['shards', 'max_latency', 'polls a second', 'ms of processor a poll']]
    with bed_of(Entity(), n_events=1) as (bed, [files]):
        for n_shards, max_latency in ((1, '200 ms'), (4, '1 s'), (64, '1 s'), (64, '200 ms')):
            load = Load(bed, files, f'.s{n_shards}', n_events=0, max_latency=max_latency)
            rates, costs = [], []
            load.start()
            wait_until(load.worker_pids, what='a worker')
            pid, = load.worker_pids()
            # past its start: every shard has been polled
            before = bed.replay.counts()['empty']
            wait_until(lambda: bed.replay.counts()['empty'] >= before + 2 * n_shards,
                       what='polls of all shards')
            for _ in range(args.rounds):
                polls, cpu = bed.replay.counts()['empty'], fine_seconds_of(pid)
                time.sleep(IDLE_SECONDS)
                polls, cpu = bed.replay.counts()['empty'] - polls, fine_seconds_of(pid) - cpu
                rates.append(polls / IDLE_SECONDS)
                costs.append(cpu / polls * 1000)
            load.stop()
            rows.append([n_shards, max_latency, report.spread(rates, 1), report.spread(costs, 3)])
    report.table('Idle: the worker alone, on a stream that nobody writes to', rows)


def peak_of(load):
    """The largest private memory of a load's worker, as sampled."""
    peak = 0

    def watch():
        nonlocal peak
        for pid in load.worker_pids():
            try:
                peak = max(peak, private_bytes(pid))
            except (FileNotFoundError, ProcessLookupError):
                pass
    load.by_workers(watch)
    return peak


def memory(args):
    rows = [['event', 'shards', 'events', 'private MB at the most', 'of it above batch_bytes']]
    with bed_of(Entity(), PageView(), n_events=args.events) as (bed, contents):
        for files in contents:
            for n_events in (args.events, 10 * args.events):
                for n_shards in (4, 256):
                    load = Load(bed, files, f'.s{n_shards}', n_events=n_events)
                    peak = peak_of(load) / 2**20
                    bed.sql(f'TRUNCATE {load.table}')
                    rows.append([files.shape.name, n_shards, n_events, f'{peak:.1f}',
                                 f'{peak - BATCH_MB:.1f}'])
    report.table('Memory of the worker', rows)


def percentiles(load):
    """p50, p99, highest: from a row's arrival to its transaction's commit."""
    return load.bed.sql(
        'WITH late AS (SELECT pg_xact_commit_timestamp(xmin) - arrived AS latency '
        f"FROM {load.table} WHERE arrived > (SELECT min(arrived) FROM {load.table}) "
        f"+ interval '{WARM_UP_SECONDS} s') "
        'SELECT extract(epoch FROM percentile_disc(0.5) WITHIN GROUP (ORDER BY latency)) * 1000, '
        'extract(epoch FROM percentile_disc(0.99) WITHIN GROUP (ORDER BY latency)) * 1000, '
        'extract(epoch FROM max(latency)) * 1000 FROM late')[0]


def latency(args):
    rows = [['stream', 'max_latency', 'p50 ms', 'p99 ms', 'highest ms',
             'ms of processor a second']]
    with bed_of(Entity(), n_events=1000) as (bed, [files]):
        for n_shards, rate in ((4, 500), (64, 30)):
            for i, max_latency in enumerate(('1 s', '200 ms')):
                n_events = n_shards * rate * (LIVE_SECONDS + WARM_UP_SECONDS)
                load = Load(bed, files, f'.s{n_shards}.r{rate}.x{i}', n_events=n_events,
                            max_latency=max_latency)
                cost = load.by_workers()
                p50, p99, highest = percentiles(load)
                rows.append([f'{n_shards} shards x {rate} a second', max_latency,
                             f'{p50:.0f}', f'{p99:.0f}', f'{highest:.0f}',
                             f'{cost.cpu / cost.elapsed * 1000:.1f}'])
    report.table('Latency: from arrival to commit', rows)
