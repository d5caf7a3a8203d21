"""Waiting for a condition, the only way in which a test waits."""
import time


def wait_until(condition, timeout=30, what=None):
    """Poll until condition() is true, and return what it returned.  what is
    told of one that does not become true: a text, or a function that gives it
    then."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            said = what() if callable(what) else what
            raise AssertionError(
                f'not within {timeout} s: {said or condition}; last: {result!r}')
        time.sleep(0.02)
