"""Become another program that cannot outlive the one that started it.

    python guard.py PARENT SIGNAL IDENTITY COMMAND...

PARENT is the process id of the starter, SIGNAL the number sent to COMMAND when the starter
dies however it dies, IDENTITY one of ``same`` (as the caller), ``namespace`` (root becomes an
ordinary user inside a user namespace of its own; owner and permissions of every file stay as
they are) and ``UID:GID``. It runs by itself in a fresh interpreter, because doing this between
fork and exec of a program with threads is unsafe.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000
INSIDE = 1000  # any id but 0: PostgreSQL refuses to run as root


def enter_namespace() -> None:
    """Make root an ordinary user in a user namespace. Raises OSError where that is forbidden."""
    uid, gid = os.geteuid(), os.getegid()
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "unshare")
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{INSIDE} {uid} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{INSIDE} {gid} 1", encoding="ascii")


def become(identity: str) -> None:
    """Take the identity the caller asked for."""
    if identity == "namespace":
        enter_namespace()
    elif identity != "same":
        uid, gid = (int(part) for part in identity.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def main(parent: str, number: str, identity: str, *command: str) -> None:
    become(identity)
    if sys.platform == "linux":
        # After become(): a change of identity clears it.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != int(parent):
            os.kill(os.getpid(), signal.SIGKILL)
    os.execvp(command[0], command)  # noqa: S606  (no shell is what is wanted)


if __name__ == "__main__":
    main(*sys.argv[1:])
