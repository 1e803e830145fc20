"""`python -m migration_tracker.local COMMAND`, as the Makefile calls it."""

import os
import sys

from . import assets, browser, run
from .processes import LocalError


def prepare_tests() -> int:
    """What the tests need beyond Python: the built front end and a browser."""
    # Building asks nothing of any server, but the settings want to be told of them.
    servers = {"DATABASE_URL": "postgres://none", "REDIS_URL": "redis://none"}
    assets.build(run.VAR, run.environment(8000, {"SECRET_KEY": "x" * 50}, 25) | servers, run.say)
    run.say(f"The browser tests use {browser.ensure(run.say)}")
    return 0


COMMANDS = {"run": run.run, "prepare-tests": prepare_tests}


def main() -> int:
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        print(f"Usage: python -m migration_tracker.local {' | '.join(COMMANDS)}", file=sys.stderr)
        return 2
    os.chdir(run.ROOT)
    try:
        return COMMANDS[sys.argv[1]]()
    except LocalError as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
