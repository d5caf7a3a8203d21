"""What a process keeps in memory, and the most of it while something goes on."""
import os
import pathlib
import re
import threading

MIB = 1 << 20

# The sanitizers keep what was freed for a while, and more than it around each chunk
SANITIZED = 'TRACKING_FDW_SANITIZED' in os.environ


def private_bytes(pid):
    """Memory that is the process's own. What it alone has touched of the server's shared
    memory counts as private, too, but not as anonymous."""
    rollup = pathlib.Path(f'/proc/{pid}/smaps_rollup').read_text()
    return int(re.search(r'^Anonymous:\s+(\d+) kB', rollup, re.M)[1]) * 1024


class Watch(threading.Thread):
    """Looks at a process until the with statement ends; most is what it had at most, or
    0 where that says nothing."""
    INTERVAL = 0.002

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.most, self._ended = pid, 0, threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self._ended.set()
        self.join()

    def run(self):
        status = pathlib.Path(f'/proc/{self.pid}/status')
        while not self._ended.wait(self.INTERVAL):
            try:
                found = re.search(r'^RssAnon:\s+(\d+) kB', status.read_text(), re.M)
            except OSError:         # it has ended
                return
            if found and not SANITIZED:
                self.most = max(self.most, int(found[1]) * 1024)
