"""Messages without an act, and e-mails: the worker behind 消息."""

from time import monotonic

import click

from models import access
from models.mail import send_due
from models.notifications.reminders import remind
from views.resources import post
from views.terminal.group import Terminal, run_rounds

EVERY = 60  # seconds between two looks for what no act tells: deadlines, ended entrustments, announcements, digests

mail = Terminal("mail", help="消息和邮件：提醒临近的期限，发送邮件。")


@mail.command("send", help="提醒临近的办结期限和终止的委托，发出到期的通知公告；设置了邮件服务器的，发送邮件。")
@click.option("--watch", is_flag=True, help="持续运行")
def send(watch: bool) -> None:
    """Any number may run at the same time."""
    looked, before = -EVERY, set[str]()

    def work() -> None:
        nonlocal looked, before
        if monotonic() - looked >= EVERY:
            remind(session)
            looked = int(monotonic())
        lines = set(send_due(session, letters)) if (letters := post()) else set()
        for line in sorted(lines - before):  # a server that is down is told of once
            click.echo(line, err=True)
        before = lines

    with access.everything() as session:
        run_rounds(session, work, watch)
