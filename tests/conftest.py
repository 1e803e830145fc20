"""Fixtures for every test: the real parts, each in tests/support/."""

pytest_plugins = ["tests.support.databases", "tests.support.site", "tests.support.pages"]
