"""Ask the web server whether it and its database answer: `python -m migration_tracker.alive`.

The health check of the container; the exit code says it.
"""

import os
import sys
import urllib.request


def alive(address: str, host: str) -> bool:
    """Whether ``address`` (host:port) answers the health page asked for under the name ``host``."""
    request = urllib.request.Request(f"http://{address}/healthz/", headers={"Host": host})
    # Never through a proxy: this asks the machine itself.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    port = os.environ.get("BIND", "0.0.0.0:8000").rpartition(":")[2]
    host = os.environ["ALLOWED_HOSTS"].split(",")[0]
    sys.exit(0 if alive(f"127.0.0.1:{port}", host) else 1)
