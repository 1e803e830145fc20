"""A Chromium for the browser tests: an installed one, else install one, else say what to do."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from .processes import LocalError

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
APPLICATIONS = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
]
ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",  # /dev/shm is small in containers
]


def arguments() -> list[str]:
    """Chromium's switches for tests. Its sandbox does not work for root."""
    return [*ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]


@cache
def find() -> str | None:
    """The path of an installed browser, else of one that Playwright installed earlier."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    for application in APPLICATIONS:
        if Path(application).exists():
            return application
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def ensure(say: Callable[[str], None]) -> str:
    """The path of a browser, installing one when there is none. Raises LocalError."""
    attempts: list[tuple[str, list[list[str]]]] = []
    if os.geteuid() == 0 and shutil.which("apt-get"):
        apt = ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]
        attempts.append(("Debian's chromium with apt-get", [["apt-get", "update"], apt]))
    install = [sys.executable, "-m", "playwright", "install", "chromium"]
    attempts.append(("Playwright's chromium", [install]))
    for what, commands in attempts:
        if path := find():
            return path
        say(f"No Chromium or Chrome is installed: installing {what}")
        if all(subprocess.run(command, check=False).returncode == 0 for command in commands):
            find.cache_clear()
    if path := find():
        return path
    raise LocalError(
        "The browser tests need Chromium or Chrome, and none could be installed. "
        "Install it (Debian and Ubuntu: apt-get install chromium) and run this again."
    )
