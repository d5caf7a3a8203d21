#!/usr/bin/env python3
"""make bench: what loading from a stream costs, beside COPY of the same rows.

Processor seconds, user and system, of all processes of the server but the
checkpointer and the WAL writer.  See docs/performance.md.
"""
import argparse
import contextlib
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import main_table                               # noqa: E402
import running                                  # noqa: E402
import scaling                                  # noqa: E402

SETS = {'main': main_table.run, 'shards': scaling.shards, 'batches': scaling.batches,
        'answers': scaling.answers, 'sizes': scaling.sizes, 'types': scaling.types,
        'faults': scaling.faults,
        'workers': running.workers, 'idle': running.idle, 'memory': running.memory,
        'latency': running.latency}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--what', default='main', help=f"of {', '.join(SETS)}; or all")
    parser.add_argument('--events', type=int, default=1_000_000)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--shards', type=int, default=16)
    args = parser.parse_args()
    names = list(SETS) if args.what == 'all' else args.what.split(',')
    for name in names:
        if name not in SETS:
            parser.error(f"there is no {name}; there are {', '.join(SETS)}")
    return args, names


def main():
    args, names = arguments()
    with contextlib.suppress(KeyboardInterrupt):
        for name in names:
            SETS[name](args)


if __name__ == '__main__':
    main()
