"""Commands in a sentence are code whose words stay whole, and read as they were written."""

import re

import click
import pytest

from views.panel.commands import GROUPS, marked
from views.terminal import COMMANDS, Commands


@pytest.mark.parametrize(
    ("sentence", "commands"),
    [
        ("请启动 filing certificate work --watch。", ["filing certificate work --watch"]),
        ("用 filing sweep --check 列出，从备份中找回", ["filing sweep --check"]),
        ("run filing mail send --watch and then wait", ["filing mail send --watch"]),
        ("filing backup 文件夹 --keep daily=7,weekly=5 的", ["filing backup", "--keep daily=7,weekly=5"]),
        ("请设置 FILING_KEYS_REQUIRED=true。", ["FILING_KEYS_REQUIRED=true"]),
        ("If it serves others, set FILING_KEYS_REQUIRED=true.", ["FILING_KEYS_REQUIRED=true"]),
        ("another run with --keep=daily. Then", ["--keep=daily"]),
        ("另设 AWS_ALLOW_HTTP=true（没有 TLS）", ["AWS_ALLOW_HTTP=true"]),
        ("运行 filing attachments scan --again 30。", ["filing attachments scan --again 30"]),
        ("FILING_CARD_CA、FILING_PAPER_PACE__lease", ["FILING_CARD_CA", "FILING_PAPER_PACE__lease"]),
        ("写作 filing 的即 .venv/bin/flask --app app。", [".venv/bin/flask --app app"]),
        ("无需处理 <b>", []),
    ],
)
def test_commands_in_sentences_are_marked_as_code(sentence: str, commands: list[str]) -> None:
    page = str(marked(sentence))
    found = [re.sub("<[^>]+>", "", code) for code in re.findall("<code>.*?</code>", page)]
    assert found == commands
    assert re.sub("</?(?:code|span)>", "", page) == sentence.replace("<b>", "&lt;b&gt;")


def test_every_command_belongs_to_a_known_group() -> None:
    commands = Commands()
    groups = {name for name in COMMANDS if isinstance(commands.get_command(click.Context(commands), name), click.Group)}
    assert groups - {"db"} == set(GROUPS.split("|"))
