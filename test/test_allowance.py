"""What a shard gives in a second: calls are reserved in the order in which they are asked for."""
import itertools

import pytest

SCAN, WORKER = False, True
names = itertools.count(1)


@pytest.fixture
def shard(unit):
    """reserve(who, now) and free(who, now), of a shard that nobody has read."""
    class Shard:
        name = next(names)

        def reserve(self, who, now_ms):
            return unit.execute('SELECT unit.allowance_reserve(%s, %s, %s)',
                                (self.name, who, now_ms)).fetchone()[0]

        def free(self, who, now_ms):
            return unit.execute('SELECT unit.allowance_free_ms(%s, %s, %s)',
                                (self.name, who, now_ms)).fetchone()[0]
    return Shard()


def in_a_second(times):
    """The most that are made in any second."""
    return max(sum(at <= other < at + 1000 for other in times) for at in times)


@pytest.mark.parametrize('who', [SCAN, WORKER])
def test_five_in_a_second(shard, who):
    now = 0                     # a clock may begin there
    assert [shard.reserve(who, now + i) for i in range(5)] == [0, 1, 2, 3, 4]
    assert shard.free(who, now + 5) == 1000
    assert [shard.reserve(who, 1000 + i) for i in range(3)] == [1000, 1001, 1002]


def test_reservations_are_made_in_their_order(shard):
    times = [shard.reserve(SCAN, 5000 + i) for i in range(20)]
    assert times == sorted(times) and in_a_second(times) == 5
    # who comes later goes later, whatever is asked meanwhile
    assert shard.free(SCAN, 5100) >= times[-4]


def test_a_worker_does_not_stand_in_the_scans_line(shard):
    shard.reserve(WORKER, 100_000)
    scans = [shard.reserve(SCAN, 101_000 + i) for i in range(40)]
    assert in_a_second(scans) == 4 and scans[-1] > 109_000
    polls = [shard.reserve(WORKER, 102_500 + 1000 * n) for n in range(4)]
    assert polls == [102_500, 103_500, 104_500, 105_500]
    assert in_a_second(scans + polls) == 5


def test_workers_share_what_is_theirs(shard):
    scans = [shard.reserve(SCAN, 200_000) for i in range(20)]
    polls = [shard.reserve(WORKER, 200_001) for _ in range(3)]
    assert polls == sorted(polls) and polls[2] <= 204_000
    assert in_a_second(scans + polls) == 5


def test_where_no_worker_is_left_scans_have_all(shard):
    shard.reserve(WORKER, 300_000)
    assert [shard.reserve(SCAN, 302_000) for _ in range(5)][-1] == 303_000
    assert [shard.reserve(SCAN, 370_000) for _ in range(5)] == [370_000] * 5


def test_what_is_left_alone_is_forgotten_first(unit, shard):
    """The table is bounded: of more shards than it holds, those last asked for are in it."""
    now = 400_000
    assert [shard.reserve(SCAN, now) for _ in range(5)] == [now] * 5
    for n in range(20):
        # a second of 1,000 others each
        unit.execute('SELECT unit.allowance_reserve(s, false, %s) FROM generate_series(%s, %s) s',
                     (now + n * 10, 1_000_000 + n * 1000, 1_000_999 + n * 1000))
        assert shard.free(SCAN, now + n * 10) == now + 1000
