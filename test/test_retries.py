"""What a call's retries heed: the service's wish for patience, and whose clock is wrong."""
import datetime
import time

import psycopg
import pytest

REFUSAL = b'{"__type":"InvalidSignatureException","message":"Signature expired"}'


@pytest.fixture
def stream(make_stream, kinesalite):
    return make_stream(kinesalite)


def list_shards(unit, proxy, stream, max_retries=2):
    return unit.execute('SELECT shard_id FROM unit.list_shards(%s, %s, %s)',
                        (proxy.url, stream, max_retries)).fetchall()


def pauses(proxy):
    """From each answer to the next request."""
    requests = proxy.requests('ListShards')
    return [later['at'] - earlier['answered_at'] for earlier, later in zip(requests, requests[1:])]


def test_the_service_asks_for_patience(unit, proxy, stream):
    proxy.raw('ListShards', b'{"__type":"InternalFailure"}', status=500,
              headers=[('x-amz-retry-after', '900')], first=1)
    assert len(list_shards(unit, proxy, stream)) == 1
    assert 0.9 <= pauses(proxy)[0] < 3


@pytest.mark.parametrize('asked', ['3600000', '999999999999999999999', 'soon', '-1'])
def test_patience_has_bounds(unit, proxy, stream, asked):
    proxy.raw('ListShards', b'{"__type":"InternalFailure"}', status=500,
              headers=[('x-amz-retry-after', asked)], first=1)
    assert len(list_shards(unit, proxy, stream)) == 1
    # five seconds more than it would be at the most
    assert pauses(proxy)[0] < 7


def test_retries_back_off(unit, proxy, stream):
    """Throttled, by anything up to a bound that doubles: by chance less than half a second in all
    once in a hundred thousand."""
    proxy.error('ListShards', 'ThrottlingException')
    with pytest.raises(psycopg.Error):
        list_shards(unit, proxy, stream, 5)
    times = pauses(proxy)
    assert len(times) == 5 and sum(times) > 0.5


# the clock

def refuse(proxy, **ahead):
    date = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**ahead)
    proxy.raw('ListShards', REFUSAL, status=403,
              headers=[('Date', date.strftime('%a, %d %b %Y %H:%M:%S GMT'))])


@pytest.mark.parametrize('ahead, attempts', [
    ({'minutes': 10}, 2), ({'hours': -30}, 2), ({'minutes': 3}, 1), ({'minutes': -3}, 1)])
def test_a_clock_is_to_blame_once_and_if_it_is_off(unit, proxy, stream, ahead, attempts):
    """It may be the secret that is wrong."""
    refuse(proxy, **ahead)
    began = time.monotonic()
    with pytest.raises(psycopg.Error) as raised:
        list_shards(unit, proxy, stream, 3)
    assert raised.value.sqlstate == '28000'
    assert len(proxy.requests('ListShards')) == attempts and time.monotonic() - began < 5
