"""One writer of many organisations at a time, so that none meets another's half-made codes."""

from django.db import connection

from practices.common.errors import Refused


def lock_directory() -> None:
    """Hold the directory until the transaction ends; raises :class:`Refused` when it is held."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('directory'))")
        if not cursor.fetchone()[0]:
            raise Refused("Another import of practices is running. Try again when it has finished.")
