"""Settings that cannot be used: one sentence and status, from gunicorn as from a command; no traceback."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import click
import pytest

from app import SETTINGS, create_app, own_secret
from tests import ROOT
from views.entrance.settings import NUMBERS

CARDS = "FILING_CARD_CA=ca.pem FILING_CARD_CRL=crl.pem"
WRONG = {  # environment → what the sentence names
    "FILING_BASE_URL=https://filing.example.cn": "请设置 FILING_TRUSTED_HOSTS",
    "FILING_ATTACHMENT_MB=viel": "FILING_ATTACHMENT_MB 应为不小于 1 的整数",
    "FILING_SESSION_MINUTES=0": "FILING_SESSION_MINUTES 应为不小于 1 的整数",
    "FILING_PROXIES=[1]": "FILING_PROXIES 应为不小于 0 的整数",
    "FILING_STORE={}": "FILING_STORE 应为文字",
    "FILING_STORE=ftp://x": "FILING_STORE",
    "FILING_CUSTOMS_PACE__trees=5": "FILING_CUSTOMS_PACE__trees 不能使用",
    "FILING_PAPER_PACE__lease=long": "FILING_PAPER_PACE__lease 不能使用",
    "FILING_MAIL_PACE__lease=long": "FILING_MAIL_PACE__lease 不能使用",
    "FILING_SMTP=mail.example.cn": "FILING_SMTP_FROM 应为发件邮箱地址",
    "FILING_SMTP=mail.example.cn FILING_SMTP_FROM=a..b@example.cn": "FILING_SMTP_FROM 应为发件邮箱地址",
    "FILING_SMTP=mail.example.cn:smtp FILING_SMTP_FROM=a@example.cn": "FILING_SMTP 应为 主机 或 主机:端口",
    "FILING_SMTP=mail.example.cn FILING_SMTP_FROM=a@example.cn FILING_SMTP_TLS=yes": "FILING_SMTP_TLS 应为",
    "FILING_SMTP=mail.example.cn FILING_SMTP_FROM=a@example.cn FILING_SMTP_TLS=none FILING_SMTP_PASSWORD=x": "没有加密",
    "FILING_KEYS_REQUIRED=maybe": "FILING_KEYS_REQUIRED 应为 true 或 false",
    "FILING_KEYS_REQUIRED=true": "FILING_BASE_URL 须为 https:// 加域名",  # 127.0.0.1 is no name
    "FILING_BASE_URL=http://filing.example.cn FILING_TRUSTED_HOSTS=filing.example.cn": "FILING_KEYS_REQUIRED=false",
    "FILING_CARD_SECRET=x": "用卡登录还须设置 FILING_CARD_URL、FILING_CARD_CA、FILING_CARD_CRL",
    f"{CARDS} FILING_CARD_SECRET=short FILING_CARD_URL=https://127.0.0.1:8443/login/card": "FILING_CARD_SECRET 至少 32",
    f"{CARDS} FILING_CARD_SECRET={'x' * 32} FILING_CARD_URL=https://elsewhere/": "FILING_CARD_URL 须为 https",
    "FILING_DATABASE_TIMEOUTS=5": "FILING_DATABASE_TIMEOUTS__ 不能使用",
    "FILING_SQLALCHEMY_DATABASE_URI=nonsense": "FILING_SQLALCHEMY_DATABASE_URI 不是可用的数据库地址",
    "FILING_SQLALCHEMY_DATABASE_URI=mysql://x/y": "FILING_SQLALCHEMY_DATABASE_URI 不是可用的数据库地址",
    "FILING_SQLALCHEMY_DATABASE_URI=postgresql+psycopg://x:y/z": "FILING_SQLALCHEMY_DATABASE_URI 不是可用的数据库地址",
    "FILING_REPLICA_URI=nonsense": "FILING_REPLICA_URI 不是可用的数据库地址",
    "FILING_REPLICA_URI=sqlite:///x": "FILING_REPLICA_URI 应为 PostgreSQL 的地址",
    "FILING_STATUS_LIST_DAYS=367": "FILING_STATUS_LIST_DAYS 应为不大于 366 的整数",
    "FILING_VALID_DAYS=1e400": "FILING_VALID_DAYS 应为不小于 1 的整数",
    "FILING_AUTOSAVE_SECONDS=soon": "FILING_AUTOSAVE_SECONDS 应为不小于 0 的整数",
    "FILING_WITNESSES=/w,mailto:": "“mailto:”不是邮箱地址",
    "FILING_WITNESSES=mailto:nonsense": "“mailto:nonsense”不是邮箱地址",
    "FILING_WITNESS_CA=/nowhere/ca.pem": "FILING_WITNESS_CA 不是可读的 PEM 证书文件",
    "FILING_WITNESS_CA=ca.pem": "FILING_WITNESS_CA 应为以 / 开头的完整路径",
    "FILING_WITNESS_FOLDER=w FILING_WITNESS_KEY=/k FILING_WITNESS_LOGS=x": "FILING_WITNESS_FOLDER 应为以 / 开头",
    "FILING_WITNESS_FOLDER=/w FILING_WITNESS_KEY=k FILING_WITNESS_LOGS=x": "FILING_WITNESS_KEY 应为以 / 开头",
    "FILING_CLAMD=clamd..example:3310": "FILING_CLAMD 应为",
    "FILING_CLAMD=127.0.0.1:0": "FILING_CLAMD 应为",
    "FILING_PROXY_ADDRESSES=x FILING_PROXIES=1": "FILING_PROXY_ADDRESSES 须为",
}


def environment(settings: str, folder: Path) -> dict[str, str]:
    outside = {name: value for name, value in os.environ.items() if not name.startswith("FILING_")}
    usual = {"FILING_SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder}/x.sqlite", "FILING_SECRET_KEY": "x"}
    usual |= {"FILING_STORE": f"{folder}/store", "FILING_SIGNING_KEY": f"{folder}/keys"}
    return outside | usual | dict(setting.split("=", 1) for setting in settings.split(" "))


@pytest.mark.parametrize("settings", WRONG)
def test_a_wrong_setting_stops_the_start_with_a_sentence(
    settings: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(settings, tmp_path).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(click.ClickException) as refused:
        create_app()
    assert WRONG[settings] in refused.value.message
    assert "\n" not in refused.value.message


def test_a_passphrase_of_digits_stays_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment is read as JSON, which takes it for a number."""
    for name, value in environment("FILING_SIGNING_PASSPHRASE=123456", tmp_path).items():
        monkeypatch.setenv(name, value)
    assert create_app().config["SIGNING_PASSPHRASE"] == "123456"


def test_an_empty_number_setting_means_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(" ".join(f"FILING_{name}=" for name in NUMBERS), tmp_path).items():
        monkeypatch.setenv(name, value)
    config = create_app().config
    assert {name: config[name] for name in NUMBERS} == {name: SETTINGS[name] for name in NUMBERS}


@pytest.mark.slow
@pytest.mark.parametrize("settings", ["FILING_BASE_URL=https://filing.example.cn", "FILING_ATTACHMENT_MB=viel"])
def test_gunicorn_reports_a_wrong_setting_in_one_line(settings: str, tmp_path: Path) -> None:
    gunicorn = str(Path(sys.executable).with_name("gunicorn"))
    command = [gunicorn, "--config", "python:views.entrance.server", "--bind", "127.0.0.1:0", "--workers", "1"]
    outside = environment(settings, tmp_path)
    done = subprocess.run(command, cwd=ROOT, env=outside, capture_output=True, text=True, timeout=120)
    found = [line for line in done.stderr.splitlines() if WRONG[settings] in line]
    assert (done.returncode != 0, len(found)) == (True, 1), done.stderr
    assert "Traceback" not in done.stderr


def test_the_own_secret_is_made_once_and_an_empty_one_is_replaced(tmp_path: Path) -> None:
    """Empty: the disk was full, or the process killed, when an earlier version wrote it."""
    (tmp_path / "secret_key").touch()
    secret = own_secret(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{64}", secret)
    assert own_secret(tmp_path) == secret
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_processes_that_start_at_once_have_one_own_secret(tmp_path: Path) -> None:
    """Over an empty file, which the first of them replaces. Without a lock, 11 of 300 such starts went wrong."""
    together = Barrier(8)

    def start(_number: int) -> str:
        together.wait()
        return own_secret(tmp_path)

    with ThreadPoolExecutor(8) as starts:
        for _time in range(100):
            (tmp_path / "secret_key").write_text("")
            assert len(set(starts.map(start, range(8)))) == 1
