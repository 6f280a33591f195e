"""/metrics: who may read it, where it is switched on."""

from pathlib import Path

import click
import pytest

from app import create_app
from tests.apps import settings_of

TOKEN = "a-token-of-Prometheus"


@pytest.mark.parametrize(
    ("allowed", "address", "status"),
    [
        ("", "203.0.113.9", 200), ("198.51.100.0/24, ::1", "198.51.100.7", 200),
        ("198.51.100.0/24", "::ffff:198.51.100.7", 200),
        ("198.51.100.0/24", "203.0.113.9", 404), ("127.0.0.1", "198.51.100.7", 404),
    ],
)  # fmt: skip
def test_the_metrics_require_an_allowed_address_and_the_token(
    tmp_path: Path, allowed: str, address: str, status: int
) -> None:
    settings = settings_of(f"sqlite:///{tmp_path}/x.sqlite", tmp_path) | {"METRICS_TOKEN": TOKEN}
    client = create_app(settings | {"METRICS_ADDRESSES": allowed}).test_client()
    at = {"environ_base": {"REMOTE_ADDR": address}}
    assert client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, **at).status_code == status
    assert client.get("/metrics", headers={"Authorization": "Bearer x"}, **at).status_code == 404


def test_an_invalid_metrics_address_stops_the_start(tmp_path: Path) -> None:
    settings = settings_of(f"sqlite:///{tmp_path}/x.sqlite", tmp_path)
    with pytest.raises(click.ClickException, match="FILING_METRICS_ADDRESSES"):
        create_app(settings | {"METRICS_ADDRESSES": "prometheus"})
