"""Outlives a killed `up` by a few seconds, to end what the kernel's own signal did not.

Run as `python -m apps.launch.guardian DATA RUN`, with a pipe from `up` as standard input: it closes however `up` ends.
A worker in the middle of a long call would otherwise finish that call first.
"""

import signal
import sys
from pathlib import Path

from apps.launch.leftovers import clear_leftovers
from apps.launch.sockets import remove_sockets_elsewhere


def main() -> None:
    data, run = Path(sys.argv[1]), sys.argv[2]
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    sys.stdin.buffer.read()
    clear_leftovers(data, run=run)
    remove_sockets_elsewhere(data)


if __name__ == "__main__":
    main()
