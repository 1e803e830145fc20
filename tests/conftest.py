"""Fixtures for every test: the real parts, each in tests/support/."""

import gc

import hypothesis
import pytest

# A machine may be slow: what a test asserts is never how fast its input comes.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")

pytest_plugins = ["tests.support.databases", "tests.support.site", "tests.support.pages"]


def pytest_collection_finish() -> None:
    """Do not search what was loaded for the tests for garbage, and the rest less often.

    It stays to the end: a quarter of a million objects, which Python would go through again and
    again.
    """
    gc.freeze()
    gc.set_threshold(20_000)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many requests test_every_address.py made: each cell of its table is one."""
    requests = sum(
        value
        for report in terminalreporter.stats.get("passed", [])
        for name, value in report.user_properties
        if name == "requests"
    )
    if requests:
        terminalreporter.write_line(f"{requests:,} requests asked who may see and do what")
