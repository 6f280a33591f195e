"""Fixtures for tests of messages."""

from tests.dates import set_day as set_day
