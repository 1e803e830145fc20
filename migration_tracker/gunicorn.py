"""How gunicorn serves the site, here and in production.

WEB_CONCURRENCY sets the number of processes.
"""

import os
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

# Only the web holds a pool of connections and has short database timeouts (settings.py).
os.environ["DATABASE_POOL"] = "true"

bind = os.environ.get("BIND", "0.0.0.0:8000")
wsgi_app = "migration_tracker.wsgi:application"
worker_class = "gthread"
threads = 8  # as many as the pool has connections
timeout = 30  # seconds without a sign of life until a process is replaced
graceful_timeout = 30
keepalive = 5
accesslog = "-"


class OneLineEach(Logger):
    """What an address says cannot begin a line of its own in the log."""

    def atoms(self, *request: Any) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(*request)
        return atoms | {"U": atoms["U"].encode("unicode_escape").decode("ascii")}


logger_class = OneLineEach
access_log_format = '%(t)s %({x-request-id}o)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'
# Nobody uses it, and it would lie in the home folder, one for all sites of this account.
control_socket_disable = True
