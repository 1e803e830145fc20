"""What the mail servers of the tests have in common."""

from aiosmtpd.smtp import SMTP, Envelope, Session


class Pipelining:
    """Takes commands that come together, as Postfix and Exchange do, and says so (RFC 2920)."""

    pipelining = True

    async def handle_EHLO(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        session.host_name = hostname
        offered = ["250-PIPELINING"] if self.pipelining else []
        return [*responses[:-1], *offered, responses[-1]]
