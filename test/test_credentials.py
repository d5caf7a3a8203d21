"""Keys are asked for at each signature, and waited for without holding up others."""
import re
import threading

import pytest

from harness import recorder

OPERATION = re.compile(rb'X-Amz-Target: Test\.(\w+)')
KEY = re.compile(rb'Credential=(\w+)/')


class Keys:
    """Answers GET with the next of given keys, once a call by keys at hand has
    come; everything else with an empty document."""

    def __init__(self, *given):
        self.given = list(given)
        self.came = threading.Event()
        self.server = recorder.Recorder(self.answer)

    def answer(self, head, body):
        if head.startswith(b'GET '):
            assert self.came.wait(30)
            return recorder.answer(200, self.given.pop(0))
        if b'Test.AtHand' in head:
            self.came.set()
        return recorder.answer(200, b'{}')

    def signed_by(self):
        heads = [head for head, _ in self.server.requests if head.startswith(b'POST ')]
        return {OPERATION.search(h)[1].decode(): KEY.search(h)[1].decode() for h in heads}


@pytest.fixture
def provided(unit):
    servers = []

    def run(*keys):
        made = Keys(*keys)
        servers.append(made.server)
        row = unit.execute('SELECT unit.provided_calls(%s, %s)',
                           (made.server.url, f'{made.server.url}/keys')).fetchone()
        return row[0], made.signed_by()
    yield run
    for server in servers:
        server.close()


def test_late_keys_hold_up_nobody_and_may_change(provided):
    assert provided(b'FIRST one', b'SECOND two') == (
        ['ok'] * 3, {'First': 'FIRST', 'Second': 'SECOND', 'AtHand': 'ATHAND'})


def test_a_provider_that_fails(provided):
    assert provided(b'none today', b'nothing') == (
        ['ok', 'nothing', 'ok'], {'First': 'none', 'AtHand': 'ATHAND'})
