"""A mail server that takes everything, in a process of its own.

python -m tests.faults.sink PORT
"""

import sys
from threading import Event

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

from tests.support.smtp import Pipelining


class Taker(Pipelining, Sink):
    pass


if __name__ == "__main__":
    Controller(Taker(), hostname="127.0.0.1", port=int(sys.argv[1])).start()
    Event().wait()
