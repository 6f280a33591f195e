"""A witness on another machine, which cosigns: client of c2sp.org/tlog-witness.

In the settings: `https://host/witness#NAME+ID+KEY`, the address before `/add-checkpoint` and the witness's public key.
"""

import base64
import re
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from ssl import create_default_context
from typing import Self
from urllib.parse import quote, urlsplit

from flask_babel import gettext as _

from models.checkpoint import merkle
from models.checkpoint.chains import Chain
from models.checkpoint.cosignature import Cosigner
from models.checkpoint.folder import CheckpointFolder, Missing
from models.checkpoint.named_key import Unverified
from models.checkpoint.note import Checkpoint
from models.exchange.transports.timed_connection import HERE, Limits, ask
from models.workflow import Refused

WITHIN = 20.0  # seconds for one request and its whole answer
MOST = 64 << 10  # bytes of an answer
CONFLICT, INCONSISTENT = 409, 422  # HTTP statuses
SIZE = re.compile(r"(0|[1-9][0-9]{0,15})\n", re.ASCII)
SCHEMES = ("https://", "http://")


def is_remote(witness: str) -> bool:
    """Whether this entry of the settings is a witness on another machine."""
    return witness.partition("#")[0].startswith(SCHEMES)


@dataclass(frozen=True)
class RemoteWitness:
    """`address`: without a slash at its end. `ca`: PEM file of the roots trusted for TLS; None: the system's."""

    address: str
    cosigner: Cosigner
    ca: str | None = None

    @classmethod
    def of_text(cls, text: str, ca: str | None = None) -> Self:
        """Read an entry of the settings; raises Unverified. Plain HTTP is for this machine only."""
        address, _hash, key = text.partition("#")
        try:
            parts = urlsplit(address)
        except ValueError:
            raise Unverified(text) from None
        if not is_remote(text) or (parts.scheme == "http" and parts.hostname not in HERE):
            raise Unverified(text)
        return cls(address.rstrip("/"), Cosigner.of_text(key), ca)

    def cosign(self, folder: CheckpointFolder, checkpoint: Checkpoint, note: str) -> str:
        """The note with one more line, by which the witness has cosigned it. Raises Refused.

        The first request asks from which size the witness needs a proof, unless it has seen nothing yet.
        """
        status, answer = self._add(0, [], note)
        if status == CONFLICT:
            old = int(answer) if SIZE.fullmatch(answer) else None
            if old is None or old > checkpoint.size:
                raise self._refused(_("它见证过的记录多于现有的，请立即查明。"))
            status, answer = self._add(old, _proof(folder, old, checkpoint.size), note)
        if status in (CONFLICT, INCONSISTENT):
            raise self._refused(_("现有的记录与它以前见证的不符，请立即查明。"))
        for line in answer.splitlines() if status == 200 else ():
            if self.cosigner.signed_at(f"{checkpoint.text()}\n{line}\n"):
                return f"{note}{line}\n"
        raise self._refused(_("应答不是它的共签（状态 %(status)s），请核对双方的设置。", status=status))

    def notes(self, chain: Chain, origin: str) -> list[str]:
        """As in witnesses.Witness: the last one alone. Raises Refused, also without one."""
        return [self.newest(origin)]

    def newest(self, origin: str) -> str:
        """The last note that the witness has cosigned for the list `origin`. Raises Refused, also without one."""
        status, note = self._request("GET", f"/checkpoint?origin={quote(origin, safe='')}")
        if status != 200:
            words = _(
                "没有给出 %(origin)s 的检查点（状态 %(status)s），请核对双方的设置。", origin=origin, status=status
            )
            raise self._refused(words)
        try:
            is_cosigned = self.cosigner.signed_at(note) is not None
        except Unverified:  # another page, for example of a proxy
            is_cosigned = False
        if not is_cosigned:
            raise self._refused(_("给出的检查点没有它的共签，请立即查明。"))
        return note

    def _add(self, old: int, hashes: list[bytes], note: str) -> tuple[int, str]:
        return self._request("POST", "/add-checkpoint", request_body(old, hashes, note))

    def _request(self, method: str, path: str, body: bytes | None = None) -> tuple[int, str]:
        """(HTTP status, body of the answer). Raises Refused when there is no answer."""
        try:
            context = create_default_context(cafile=self.ca) if self.ca else None
            status, answer = ask(method, f"{self.address}{path}", body, Limits(WITHIN, MOST, context))
        except (OSError, HTTPException, ValueError) as failed:
            raise self._refused(_("没有应答（%(why)s），请稍后再试。", why=failed)) from failed
        return status, answer.decode(errors="replace")

    def _refused(self, words: str) -> Refused:
        return Refused(_("见证 %(witness)s：%(words)s", witness=self.address, words=words))


def _proof(folder: CheckpointFolder, old: int, size: int) -> list[bytes]:
    try:
        return merkle.consistency_proof(partial(folder.root_of, size), old, size)
    except Missing:
        raise Refused(_("检查点文件夹不完整，请换用另存的文件夹。")) from None


def request_body(old: int, hashes: list[bytes], note: str) -> bytes:
    """A request to cosign `note`, with the proof that it continues the first `old` entries."""
    lines = [f"old {old}", *(base64.b64encode(each).decode() for each in hashes), ""]
    return "\n".join([*lines, note]).encode()
