"""What is to go wrong with a stand-in, and what it saw.

    redshift.cut('commit', first=1)                     # before it is done
    redshift.cut('commit', answered=True, every=3)      # done, but the answer is lost
    redshift.cut('object', first=1, after=2)            # in a COPY, with two objects read
    held = redshift.hold('copy', first=1); held.wait(); ...; held.release()

Which operations a fault hits is counted as harness.proxy does.  An operation
is 'connect', 'object' (which a COPY is about to read), or a kind of statement:
'copy', 'insert', 'commit', 'create table' and so on; 'refused' is any that
Redshift does not take.  None is every one of them.
"""
import threading
import time

from ..proxy import Hold, Rule
from .wire import RedshiftError


class Cut(Exception):
    """The client's connection is to be reset."""


class Faults:
    def __init__(self):
        self._fault_lock = threading.Lock()
        self._rules, self._holds, self._log = [], [], []

    def arrived(self, op, **what):
        """Note an operation; the rule that it is to follow, or None."""
        entry = {'op': op, 'fault': False, 'at': time.monotonic(), **what}
        with self._fault_lock:
            self._log.append(entry)
            rule = next((r for r in self._rules if r.hits(op, None)), None)
        entry['fault'] = rule is not None
        return rule

    def operations(self, op=None):
        """What was seen, in order of arrival: op, sql, user, and more."""
        with self._fault_lock:
            return [e for e in self._log if op in (None, e['op'])]

    def clear(self):
        """Forget the rules and what was seen, and let go of what is held."""
        with self._fault_lock:
            self._rules, self._log = [], []
            holds, self._holds = self._holds, []
        for hold in holds:
            hold.release()

    def _add(self, op, apply, when):
        with self._fault_lock:
            self._rules.append(Rule(apply, op, **when))

    def cut(self, op, answered=False, **when):
        """Reset the client's connection before the operation, or after it was
        done and before its answer is sent."""
        def apply(do, answer):
            if answered:
                do()
            raise Cut
        self._add(op, apply, when)

    def error(self, op, sqlstate, message, **when):
        """Fail the operation with this error."""
        def apply(do, answer):
            raise RedshiftError(sqlstate, message)
        self._add(op, apply, when)

    def hold(self, op, answered=False, lost=False, **when):
        """Keep operations waiting, before they are done or before their answer
        is sent, until Hold.release().  lost: they are not done then, either."""
        hold = Hold()
        with self._fault_lock:
            self._holds.append(hold)

        def apply(do, answer):
            done = do() if answered else None
            hold._hold()
            if lost:
                raise Cut
            answer(done if answered else do())
        self._add(op, apply, when)
        return hold

    def slow(self, op, pause, n_bytes=64, **when):
        """Give the answer n_bytes at a time, with a pause after each."""
        def apply(do, answer):
            done = do()
            for at in range(0, len(done), n_bytes):
                answer(done[at:at + n_bytes])
                threading.Event().wait(pause)
        self._add(op, apply, when)
