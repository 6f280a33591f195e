"""Clients that send requests steadily, and record every answer and failure."""

import json
import re
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

from tests.bench.writes import KINDS, filled
from tests.cast import small_pdf
from tests.serving import Answer, Client, Server

PAGES = {"national": "/register/", "publisher": "/applications/", "reviewer": "/filings/"}


@dataclass
class Seen:
    """One request: when (time.monotonic()), its kind, its answer, how long it took, and the words of an error page."""

    at: float
    what: str
    status: int | str
    seconds: float
    said: str = ""


def sentence(answer: Answer | None) -> str:
    """What a person reads on an error page, or is told by the page's script; "" if nothing failed."""
    if answer is None or answer.status < 500:
        return ""
    if answer.headers.get_content_type() == "application/json":
        return str(json.loads(answer.body)["message"])
    found = re.search(r'<p class="sentence"[^>]*>([^<]+)', answer.text) or re.search("<title>([^<]+)", answer.text)
    return found[1] if found else ""


@dataclass
class Callers:
    """Who submits, who grants and who reads; `submitted` and `granted` are the ids that were acknowledged."""

    server: Server
    on: bool = True
    seen: list[Seen] = field(default_factory=list)
    submitted: list[int] = field(default_factory=list)
    granted: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)

    def ask(self, what: str, expected: int, call: Any) -> Answer | None:
        """The answer, if it is as expected; every outcome is noted."""
        began = time.monotonic()
        try:
            answer: Answer | None = call()
            status: int | str = answer.status if answer is not None else "none"
        except OSError as broken:
            answer, status = None, type(broken).__name__
        except Exception as broken:  # for example an incomplete answer
            answer, status = None, type(broken).__name__
        self.seen.append(Seen(began, what, status, time.monotonic() - began, sentence(answer)))
        return answer if status == expected else None

    def submit(self, client: Client, blank: dict[str, str], pause: float) -> None:
        while self.on:
            time.sleep(pause)
            form = blank | {"page_key": secrets.token_urlsafe(18), "title": f"唱片{secrets.token_hex(3)}"}
            if opened := self._post("draft", 302, client, "/applications/new/", form):
                self._submit(client, int(opened.location.rpartition("=")[2]))

    def _submit(self, client: Client, key: int) -> None:
        """The files of a draft, and 申报, which is sent once."""
        for kind in KINDS:
            fields = {"id": key, "kind": kind, "file": (small_pdf(secrets.token_hex(8)), f"{kind}.pdf")}
            self._post("upload", 200, client, "/applications/upload/", fields)
        if self.ask("submit", 303, lambda: client.post("/applications/submit/", {"id": key})):
            self.submitted.append(key)
            self.waiting.append(key)

    def _post(self, what: str, expected: int, client: Client, path: str, fields: Any) -> Answer | None:
        """Post, again every second until it succeeds or the trial ends; the answer, None if none was good."""
        while (answer := self.ask(what, expected, lambda: client.post(path, fields))) is None and self.on:
            time.sleep(1)
        return answer

    def grant(self, client: Client, _address: str, pause: float) -> None:
        while self.on:
            time.sleep(pause)
            if self.waiting:
                key = self.waiting.pop(0)
                if self.ask("grant", 303, lambda key=key: client.post("/review/grant/", {"id": key})):  # type: ignore[misc]
                    self.granted.append(key)

    def read(self, client: Client, address: str, pause: float) -> None:
        while self.on:
            time.sleep(pause)
            self.ask("read", 200, lambda: client.get(address))

    def begin(self, writers: int) -> list[Thread]:
        """Sign in and start; one granter, and one reader of each role."""
        people = {name: Client(self.server) for name in ("publisher", "reviewer", "national", "publisher2")}
        for name, client in people.items():
            client.sign_in(name)
            client.find_token()
        blank = filled(people["publisher"])
        threads = [Thread(target=self.submit, args=(people["publisher"], blank, 0.5)) for _writer in range(writers)]
        threads.append(Thread(target=self.grant, args=(people["reviewer"], "", 0.3)))
        threads += [Thread(target=self.read, args=(people[name], page, 0.3)) for name, page in PAGES.items()]
        for thread in threads:
            thread.start()
        return threads

    def report(self, since: float, name: str) -> None:
        """Print the requests that ended since a moment: how many, failures and within how long, and the slowest."""
        for kinds in (("read",), ("draft", "upload", "submit", "grant")):
            found = [seen for seen in list(self.seen) if seen.at + seen.seconds >= since and seen.what in kinds]
            bad = [seen for seen in found if seen.status not in (200, 302, 303)]
            slowest = max((seen.seconds for seen in found), default=0.0)
            span = max((seen.at + seen.seconds for seen in bad), default=0) - min((s.at for s in bad), default=0)
            what = "reads " if kinds == ("read",) else "writes"
            kinds_of = dict(Counter(str(seen.status) for seen in bad))
            print(
                f"  {name:38}{what} {len(found):4}, failed {len(bad):3} {kinds_of or ''}"
                f" within {span:4.1f} s, slowest {slowest:4.1f} s",
                flush=True,
            )
        for said, count in Counter(seen.said for seen in self.seen if seen.at >= since and seen.said).items():
            print(f"    {count} × {said}", flush=True)
