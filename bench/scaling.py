"""What changes the cost of an event: shards, batches, answers, sizes, faults, and of how many
types the events are."""
import report
from events import Entity, Files, PageView, Sized, Typed
from load import Load, bed_of, take_turns


def compare(heading, loads, rounds, first='what'):
    """A table of loads by label, as ratios to the first."""
    costs, batches = take_turns(loads.values(), rounds)
    base = next(iter(costs.values()))
    rows = [[first, 's per million', 'ratio', 'WAL bytes a row', 'batches', 'elapsed s']]
    for label, load in loads.items():
        mine = costs[load]
        rows.append([
            label, report.spread([cost.cpu / load.n_events * 1e6 for cost in mine]),
            report.spread([cost.cpu / other.cpu for cost, other in zip(mine, base)]),
            f'{mine[0].wal / load.n_events:.0f}', batches[load],
            report.spread([cost.elapsed for cost in mine], 1)])
    report.table(heading, rows)
    return {label: costs[load] for label, load in loads.items()}


def shards(args):
    with bed_of(Entity(), PageView(), n_events=args.events) as (bed, contents):
        for files in contents:
            compare(f'Shards: {files.n_events} events, {files.shape.name}',
                    {n: Load(bed, files, f'.s{n}') for n in (1, 4, 16, 64, 256)},
                    args.rounds, 'shards')


def batches(args):
    sizes = (10_000, 1000, 2500, 50_000, 200_000)
    with bed_of(Entity(), PageView(), n_events=args.events) as (bed, contents):
        for files in contents:
            costs = compare(
                f'Batches: {files.n_events} events, {files.shape.name}, {args.shards} shards',
                {n: Load(bed, files, f'.s{args.shards}', batch_rows=n, batch_bytes=256 << 20)
                 for n in sizes}, args.rounds, 'batch_rows')
            share_of_batch(costs, args.events)


def share_of_batch(costs, n_events):
    """The fixed cost of a batch (transaction, start of the command, positions,
    history), computed from loads with more and with fewer batches."""
    more = n_events / 1000 - n_events / 10_000
    shares = []
    for small, usual in zip(costs[1000], costs[10_000]):
        per_batch = (small.cpu - usual.cpu) / more
        shares.append(100 * per_batch / (usual.cpu / n_events * 10_000))
    print(f'A batch as such: {report.spread(shares, 1)} % of what one of 10,000 records costs\n')


def answers(args):
    with bed_of(Entity(), PageView(), n_events=args.events) as (bed, contents):
        for files in contents:
            compare(f'Answers: {files.n_events} events, {files.shape.name}, 64 shards',
                    {n: Load(bed, files, f'.s64.l{n}') for n in (10_000, 2000, 500)},
                    args.rounds, 'records at most')


def faults(args):
    """10 % throttled, 5 % failed, 5 % cut, 10 % empty; by count."""
    with bed_of(Entity(), PageView(), n_events=args.events) as (bed, contents):
        for files in contents:
            stream = f'.s{args.shards}.l2000'
            compare(f'Faults: {files.n_events} events, {files.shape.name}, '
                    f'{args.shards} shards, 2000 records an answer',
                    {'none': Load(bed, files, stream),
                     'of 30 % of the calls': Load(bed, files, f'{stream}.f1')},
                    args.rounds, 'faults')


def types(args):
    """Documents of one type have the same shape; in the last load hardly two
    have."""
    counts = (1, 10, 100, 1000, 100_000)
    with bed_of(*map(Typed, counts), n_events=args.events) as (bed, contents):
        compare(f'Types: {args.events} events, pageview with properties of its type, '
                f'{args.shards} shards',
                {n: Load(bed, files, f'.s{args.shards}') for n, files in zip(counts, contents)},
                args.rounds, 'types')


def sizes(args):
    """As many records as make half a gigabyte, but at most the given number."""
    rows = [['bytes a record', 'records', 'COPY FROM CSV, s per GB', 'pipeline, s per GB',
             'ratio']]
    for size in (100, 1024, 10 * 1024, 100 * 1024, 1024 * 1024 - 64):
        n = min(args.events, (512 << 20) // size)
        with bed_of(Sized(size), n_events=n, distinct=max(1, (64 << 20) // size)) as (bed, [files]):
            load = Load(bed, files.write(), f'.s{args.shards}')
            costs = [(of_copy(bed, load, files), load.by_call()) for _ in range(args.rounds)]
        gigabytes = n * size / 1e9
        rows.append([size, n, report.spread([copy.cpu / gigabytes for copy, _ in costs]),
                     report.spread([call.cpu / gigabytes for _, call in costs]),
                     report.spread([call.cpu / copy.cpu for copy, call in costs])])
    report.table('Sizes: a number and a text', rows)


def of_copy(bed, load, files: Files):
    load.reset()
    cost = bed.measure(lambda: bed.work.execute(
        f"COPY {load.table} FROM '{files.csv}' (FORMAT csv)"))
    load.check()
    return cost
