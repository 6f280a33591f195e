"""`trail verify` on a machine whose OpenSSL does not have the hash function of some seals."""

import hashlib
from typing import Any

import pytest
from flask import Flask

from tests.apps import seal_by
from tests.browsing import ClientAs
from tests.conftest import MakeApplication
from tests.views.terminal.commands import run_command


def test_a_seal_that_this_machine_cannot_compute_is_not_called_broken(
    app: Flask, make_application: MakeApplication, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The OpenSSL of this machine has SM3; `hashlib.new` raises ValueError where it is missing."""
    key = make_application(status="draft")
    seal_by(app, "sm3")
    assert client_as("publisher").post("/applications/submit/", data={"id": key}).status_code == 303
    seal_by(app, "sha256")
    assert run_command(app, "trail", "verify").exit_code == 0
    known = hashlib.new

    def without_sm3(name: str, *content: Any, **options: Any) -> Any:
        if name == "sm3":
            raise ValueError("unsupported hash type sm3")
        return known(name, *content, **options)

    monkeypatch.setattr(hashlib, "new", without_sm3)
    refused = run_command(app, "trail", "verify")
    assert refused.exit_code == 1
    assert "本机的 OpenSSL 不支持 sm3，不能核对留痕。" in refused.output
