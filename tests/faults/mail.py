"""A mail server that keeps an exact account of what it took, and of what it did wrong."""

import asyncio
import hashlib
import random
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.smtp import Pipelining

STALL = 1.6  # seconds; a worker of a fault run waits for one (rig.py)
BEFORE_ACCEPTING = ["451", "421", "drop", "stall"]
AFTER_ACCEPTING = ["accept and drop", "accept and stall"]


@dataclass
class FaultyMail(Pipelining):
    """Answers some mails wrongly, at random, until ``faults_left`` are used up.

    ``refused`` are addresses it will never take anything for; ``script`` are faults
    that come first, in this order.
    """

    rate: float = 0.0
    faults_left: int = 0
    refused: set[str] = field(default_factory=set)
    script: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    copies: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def forced(self) -> int:
        """Copies it asked for itself: it took a mail and did not say so."""
        return sum(self.faults[fault] for fault in AFTER_ACCEPTING)

    def _fault(self) -> str:
        with self.lock:
            if self.script:
                self.faults[self.script[0]] += 1
                return self.script.pop(0)
            if not self.faults_left or random.random() > self.rate:
                return ""
            self.faults_left -= 1
            # Stalling costs a second each, so it is rarer.
            kind = random.choices([*BEFORE_ACCEPTING, *AFTER_ACCEPTING], [6, 3, 3, 1, 4, 1])[0]
            self.faults[kind] += 1
            return kind

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            self.faults["550"] += 1
            return "550 Nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        fault = self._fault()
        content = bytes(envelope.original_content or b"")
        if not fault or fault in AFTER_ACCEPTING:
            name = BytesHeaderParser().parsebytes(content)["Message-ID"].strip()
            with self.lock:
                self.copies[name].append(hashlib.sha256(content).hexdigest())
        if "stall" in fault:
            await asyncio.sleep(STALL)
        if "drop" in fault:
            assert server.transport is not None
            server.transport.abort()
        return f"{fault} Not now" if fault.isdigit() else "250 Kept"
