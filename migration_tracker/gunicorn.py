"""How gunicorn serves the site, here and in production.

WEB_CONCURRENCY sets the number of processes.
"""

import os

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
access_log_format = '%(t)s %({x-request-id}o)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'
# Nobody uses it, and it would lie in the home folder, one for all sites of this account.
control_socket_disable = True
