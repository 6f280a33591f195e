"""One e-mail by one SMTP session, with one deadline for all of it."""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from threading import Timer
from typing import Any

from flask_babel import gettext as _

from models.language import recorded
from models.notifications.letters import DEFERRED_WORDS

CLOSING = 421  # the server ends the session, whatever it was asked
SECONDS = 30  # for connecting, TLS, signing in and sending
STARTTLS, TLS, PLAIN = "starttls", "tls", "none"
WAYS = {STARTTLS: 587, TLS: 465, PLAIN: 25}  # → the default port


class Unreachable(Exception):
    """The server is unavailable; not the fault of the letter. str() is a sentence."""


class RecipientRefused(Exception):
    """The server rejects this letter; `for_good`: permanently, do not retry. str() is a sentence."""

    def __init__(self, code: int, answer: bytes | str) -> None:
        self.for_good = code >= 500
        values = {"code": code, "answer": _one_line(answer)}
        super().__init__(
            _("邮件服务器没有接收（%(code)s %(answer)s）。", **values)
            if self.for_good
            else recorded(DEFERRED_WORDS) % values
        )


def _one_line(answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split())[:200]


def _unusable(why: str) -> Unreachable:
    return Unreachable(_("邮件服务器不能使用：%(why)s。", why=why.rstrip(".")))


def _refusal(code: int, answer: bytes | str) -> Exception:
    """What an answer to a recipient or a letter means."""
    return _unusable(f"{code} {_one_line(answer)}") if code == CLOSING else RecipientRefused(code, answer)


@contextmanager
def _wrong_settings_as_unreachable() -> Iterator[None]:
    """Turn errors of an unusable host, user or password, raised before a letter is sent, into Unreachable.

    The text of the error is dropped: it may contain a character of the password.
    """
    try:
        yield
    except OSError:  # SSLCertVerificationError is a ValueError too
        raise
    except ValueError:
        settings = "FILING_SMTP、FILING_SMTP_USER、FILING_SMTP_PASSWORD"
        raise Unreachable(_("邮件服务器不能使用：请检查 %(settings)s。", settings=settings)) from None


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]


@dataclass(frozen=True)
class MailServer:
    """A mail server. `way`: STARTTLS, TLS or PLAIN; `ca`: PEM file of trusted roots, None: the system's."""

    host: str
    port: int
    way: str
    sender: str
    user: str | None = None
    password: str | None = None
    ca: str | None = None
    seconds: float = SECONDS

    def send(self, message: EmailMessage) -> None:
        """Send a letter within `seconds`. Raises RecipientRefused or Unreachable."""
        try:
            self._send(message)
        except smtplib.SMTPRecipientsRefused as refused:
            ((code, answer),) = refused.recipients.values()
            raise _refusal(code, answer) from None
        except smtplib.SMTPDataError as refused:
            raise _refusal(refused.smtp_code, refused.smtp_error) from None
        except (OSError, smtplib.SMTPException) as broken:
            raise _unusable(_one_line(str(broken)) or type(broken).__name__) from None

    def _send(self, message: EmailMessage) -> None:
        with _wrong_settings_as_unreachable():
            context = ssl.create_default_context(cafile=self.ca) if self.way != PLAIN else None
            session: TimedSession = self._connected(context)
        try:
            with _wrong_settings_as_unreachable():
                self._sign_in(session, context)
            session.send_message(message)
            with suppress(OSError, smtplib.SMTPException):  # the server has accepted the letter already
                session.quit()
        finally:
            session.timer.cancel()
            session.close()

    def _sign_in(self, session: "TimedSession", context: ssl.SSLContext | None) -> None:
        if self.way == STARTTLS:
            session.starttls(context=context)  # raises if the server does not offer it
        session.ehlo_or_helo_if_needed()
        if self.user:
            session.login(self.user, self.password or "")

    def _connected(self, context: ssl.SSLContext | None) -> "TimedSession":
        if self.way == TLS:
            return TimedTlsSession(self.host, self.port, timeout=self.seconds, context=context)
        return TimedSession(self.host, self.port, timeout=self.seconds)


class TimedSession(smtplib.SMTP):
    """An SMTP session with one deadline of `timeout` seconds: a socket's own timeout restarts with every byte."""

    def __init__(self, host: str, port: int, timeout: float, **options: Any) -> None:
        self.late, self.sock = False, None
        self.timer = Timer(timeout, self._end)
        self.timer.daemon = True
        self.timer.start()
        try:
            super().__init__(host, port, timeout=timeout, **options)
        except BaseException:
            self.timer.cancel()
            raise

    def _end(self) -> None:
        """Runs in another thread."""
        self.late = True
        with suppress(OSError):
            if self.sock is not None:
                self.sock.shutdown(socket.SHUT_RDWR)

    def getreply(self) -> tuple[int, bytes]:
        if self.late:  # while it was still connecting
            raise TimeoutError("timed out")
        return super().getreply()


class TimedTlsSession(TimedSession, smtplib.SMTP_SSL):
    """TimedSession with TLS from the beginning."""
