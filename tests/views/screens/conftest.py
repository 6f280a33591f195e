"""Fixtures for tests of screens."""

from tests.dates import set_day as set_day
