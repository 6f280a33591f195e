"""Accounts, organisations, entrustments, and sessions."""
