"""What a background worker is like while it runs: events a second, idle polls,
memory, latency."""
import time

import report
from events import Entity, PageView
from load import Load, bed_of
from harness.wait import wait_until
from scratch import fine_seconds_of, private_bytes

# so many that what a shard gives a second does not hold up two workers
WORKER_SHARDS = 128
# the default of batch_bytes
BATCH_MB = 16
IDLE_SECONDS = 10
LIVE_SECONDS, WARM_UP_SECONDS = 20, 4


def workers(args):
    rows = [['workers', 'events a second', 's of processor per million']]
    with bed_of(Entity(), n_events=args.events) as (bed, [files]):
        for n in (1, 2):
            load = Load(bed, files, f'.s{WORKER_SHARDS}', workers=n)
            rates, costs = [], []
            for _ in range(args.rounds):
                costs.append(load.by_workers())
                rates.append(load.events_per_second())
            rows.append([n, report.spread(rates, 0),
                         report.spread([cost.cpu / args.events * 1e6 for cost in costs])])
    report.table(f'Workers: {args.events} events, entity, {WORKER_SHARDS} shards', rows)


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
    """The most private memory that a load's worker is seen to have."""
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
