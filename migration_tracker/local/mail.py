"""A mail server that keeps every mail as a file and sends none: `python -m ... FOLDER PORT`."""

import asyncio
import itertools
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session


class Keeper:
    """Writes each accepted mail to ``folder``, named by when it came."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = itertools.count(1)

    async def handle_DATA(  # noqa: N802  (the name aiosmtpd calls)
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
    ) -> str:
        """Keep the mail, whole or not at all, before saying that it is kept."""
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{next(self.number)}"
        unfinished = self.folder / f"{name}.part"
        content = envelope.original_content or b""
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(self.folder / f"{name}.eml")
        return "250 Kept"


async def serve(folder: Path, port: int) -> None:
    """Serve until told to stop."""
    keeper = Keeper(folder)
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = await loop.create_server(
        lambda: SMTP(keeper, hostname="localhost", enable_SMTPUTF8=True), "127.0.0.1", port
    )
    async with server:
        await stopped.wait()


if __name__ == "__main__":
    mailbox = Path(sys.argv[1])
    mailbox.mkdir(mode=0o700, parents=True, exist_ok=True)
    asyncio.run(serve(mailbox, int(sys.argv[2])))
