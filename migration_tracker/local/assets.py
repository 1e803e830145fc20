"""Building the front end, only when something it is made of has changed."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from .processes import ROOT, step

NODE_FLOOR = 20  # major version; package.json says the same
MODULES = ["package.json", "package-lock.json", ".npmrc"]
SOURCES = ["static/src/**/*", "static/*.mjs", *MODULES, "requirements/base.txt"]


def digest(patterns: list[str]) -> str:
    """What the files that match ``patterns`` contain, as one word."""
    found = hashlib.sha256()
    for pattern in patterns:
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file() and path.suffix != ".pyc":
                found.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return found.hexdigest()


def changed(stamp: Path, now: str) -> bool:
    """Whether the last successful build was of something else."""
    return not stamp.exists() or stamp.read_text(encoding="ascii") != now


def npm(
    env: Mapping[str, str], log: Path, say: Callable[[str], None]
) -> tuple[str, dict[str, str]]:
    """A usable npm and its environment; Node's wheel is installed where there is none."""
    node = shutil.which("node")
    installed = shutil.which("npm")
    if node and installed:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
        major = version.stdout.strip().removeprefix("v").split(".")[0]
        if major.isdigit() and int(major) >= NODE_FLOOR:
            return installed, dict(env)
    here = Path(sys.executable).parent
    if not (here / "npm").exists():
        say(f"There is no npm with Node {NODE_FLOOR} or newer: installing Node into .venv")
        pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
        wanted = ["--require-hashes", "-r", "requirements/node.txt"]
        step([*pip, *wanted], log=log, env=env, what="Installing Node")
    return str(here / "npm"), {**env, "PATH": f"{here}{os.pathsep}{env.get('PATH', '')}"}


def build(var: Path, env: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Build and collect static files when their sources changed. Raises LocalError."""
    log = var / "log" / "front-end.log"
    built, installed = var / "front-end.stamp", var / "node-modules.stamp"
    sources, modules = digest(SOURCES), digest(MODULES)
    complete = (ROOT / "static" / "build").exists() and (var / "static").exists()
    if complete and not changed(built, sources):
        return
    command, npm_env = npm(env, log, say)
    if changed(installed, modules) or not (ROOT / "node_modules").exists():
        say("Installing the front-end packages (a minute the first time)")
        step([command, "ci", "--no-audit", "--no-fund"], log=log, env=npm_env, what="npm ci")
        installed.write_text(modules, encoding="ascii")
    say("Building the front end")
    step([command, "run", "build"], log=log, env=npm_env, what="npm run build")
    collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--clear", "-v0"]
    step(collect, log=log, env=env, what="Collecting the static files")
    built.write_text(sources, encoding="ascii")
