"""Accounts, organisations, entrustments, and the sessions of who is signed in."""
