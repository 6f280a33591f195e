"""Commands mail …: the worker for reminders and e-mails."""

from time import monotonic

import click

from models import access
from models.mail import send_due
from models.notifications.reminders import remind
from views.resources import keys, post
from views.terminal.group import Terminal, run_rounds, within_round

EVERY = 60  # seconds between two checks for deadlines, ended entrustments, announcements and digests

mail = Terminal("mail", help="消息和邮件：提醒临近的期限，发送邮件。")


@mail.command("send", help="提醒临近的办结期限和终止的委托，发出到期的通知公告；设置了邮件服务器的，发送邮件。")
@click.option("--watch", is_flag=True, help="持续运行")
def send(watch: bool) -> None:
    """Any number of processes may run it at the same time."""
    looked, before = -EVERY, set[str]()

    def work() -> None:
        nonlocal looked, before
        if monotonic() - looked >= EVERY:
            remind(session, keys())
            looked = int(monotonic())
        lines = set(within_round(send_due(session, letters), watch)) if (letters := post()) else set()
        for line in sorted(lines - before - {""}):  # a repeated line, as of a server that is down, is printed once
            click.echo(line, err=True)
        before = lines

    with access.everything() as session:
        run_rounds(session, work, watch, sends=True)
