"""Checks after all clients have ended: whether everything acknowledged is there exactly once."""

import subprocess
import sys
import time
from collections import Counter

from flask import Flask
from sqlalchemy import func, select

from models import access
from models.application import Application
from models.application.attachments import Attachment
from models.certificate import Certificate, Paper
from models.certificate.paper_queue import PaperTask
from models.customs import CustomsMessage
from models.notifications.letters import UNSENT, MailLetter
from models.vocabulary import Status
from tests import ROOT
from tests.cluster.callers import Callers
from tests.views.mail_server import LocalMailServer

FLASK = [sys.executable, "-m", "flask", "--app", "app"]
PATIENCE = 90  # seconds until papers, messages and letters are done


def left(app: Flask) -> int:
    """The number of papers not made, messages without an answer, and e-mails not sent."""
    counts = (
        select(func.count()).select_from(PaperTask),
        select(func.count()).select_from(CustomsMessage).where(CustomsMessage.answered_at.is_(None)),
        select(func.count()).select_from(MailLetter).where(UNSENT),
    )
    with app.app_context(), access.everything() as session:
        return sum(session.scalar(count) or 0 for count in counts)


def wrong(app: Flask, callers: Callers) -> list[str]:
    """A sentence for each acknowledged item that is missing, and for each that exists twice."""
    found = []
    with app.app_context(), access.everything() as session:
        status = dict(session.execute(select(Application.id, Application.status)).all())
        files = Counter(session.scalars(select(Attachment.application_id)))
        granted = Counter(session.scalars(select(Certificate.application_id)))
        papers = Counter(session.scalars(select(Paper.application_id)))
        messages = Counter(session.scalars(select(CustomsMessage.application_id)))
    for key in callers.submitted:
        if status.get(key, Status.DRAFT) is Status.DRAFT or files[key] < 4:
            found.append(f"application {key} was submitted: {status.get(key)}, {files[key]} files")
    for key in callers.granted:
        if (granted[key], papers[key], messages[key]) != (1, 1, 1):
            found.append(f"application {key} was granted: {granted[key]}, {papers[key]}, {messages[key]}")
    return found


def wrong_mail(app: Flask, mail: LocalMailServer) -> list[str]:
    """A sentence for each e-mail that was sent by the queue and has not arrived, and if too many arrived twice.

    A sender that is killed after sending leaves its e-mail to the next one, which sends it again under the same
    Message-ID: two senders are killed, so two at most.
    """
    arrived = Counter(str(letter["Message-ID"]) for letter in mail.letters)
    with app.app_context(), access.everything() as session:
        letters = set(session.scalars(select(MailLetter.id).where(MailLetter.attempts > 0)))
    twice = sum(arrived.values()) - len(arrived)
    print(f"e-mails: {len(letters)} sent, {len(arrived)} arrived, {twice} of them again")
    sent = {key for key in letters if any(f"<letter-{key}-" in name for name in arrived)}
    return [f"letter {key} has not arrived" for key in sorted(letters - sent)] + (
        [f"{twice} letters arrived twice"] if twice > 2 else []
    )


def judged(app: Flask, callers: Callers, mail: LocalMailServer) -> bool:
    """Whether everything exists once, by our lists, trail verify, sweep --check and the mail server; prints faults."""
    ended = time.monotonic() + PATIENCE
    while left(app) and time.monotonic() < ended:
        time.sleep(0.5)
    rest = left(app)
    found = [*wrong(app, callers), *([f"{rest} papers, messages or letters are left"] if rest else [])]
    found += (
        [] if callers.submitted and callers.granted and mail.letters else ["so little was done that nothing is shown"]
    )
    print(f"acknowledged: {len(callers.submitted)} submissions, {len(callers.granted)} grants")
    found += wrong_mail(app, mail)
    for words in (["trail", "verify"], ["sweep", "--check"]):
        done = subprocess.run([*FLASK, *words], cwd=ROOT, capture_output=True, text=True)
        print(f"{' '.join(words)}: {(done.stdout + done.stderr).strip().splitlines()[-1:]}")
        found += [f"{' '.join(words)} found something"] if done.returncode else []
    print("\n".join(found) or "nothing lost, nothing twice")
    return not found
