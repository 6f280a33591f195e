"""What customs reads: the business message by customs.xsd, in the envelope DxpMsg of the China E-port (dxp.xsd)."""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from lxml import etree  # type: ignore[import-untyped,unused-ignore]
from lxml.builder import ElementMaker  # type: ignore[import-untyped,unused-ignore]

from models import clock
from models.application import Application
from models.certificate import APPLICATION_FIELDS, CARRIER_FIELDS, frozen
from models.customs import CustomsMessage
from models.vocabulary import Action
from models.workflow import Refused

NAMESPACE = "urn:filing:certificate-message:1"  # ours: customs' own message for certificate Z is not public
DXP = "http://www.chinaport.gov.cn/dxp"
SCHEMA, ENVELOPE = Path(__file__).with_name("customs.xsd"), Path(__file__).with_name("dxp.xsd")
CERTIFICATE_FIELDS = ("number", "issued_on", "valid_until", "authority", "signer", "digest")
MOST = 1_000_000  # bytes of an envelope: E-port takes less than 1 MB
SIGNATURE = 8_000  # bytes that a signature may add to it
CERTIFICATE, QUESTION = "FILING_Z", "FILING_Z_QUERY"  # MsgType, ours
SAMPLE = {"number": "Z00200000000000", "issued_on": "2000-01-01", "digest": "0" * 64}

business = ElementMaker(namespace=NAMESPACE, nsmap={None: NAMESPACE})
port = ElementMaker(namespace=DXP, nsmap={None: DXP})


class Unsendable(Refused):
    """What is to be sent is longer or other than customs can read."""


@dataclass(frozen=True)
class Parties:
    """Who sends and who receives, by their E-port numbers (at most 16 characters)."""

    sender: str
    receiver: str


@dataclass(frozen=True)
class Letter:
    """An envelope as its reader finds it."""

    name: str
    kind: str
    data: bytes
    signature: bytes | None


def business_xml(message: CustomsMessage) -> bytes:
    """What is sent: the certificate as granted, never the application as it is now; the same bytes every time."""
    certificate = message.certificate
    granted = {name: str(value) for name in CERTIFICATE_FIELDS if (value := getattr(certificate, name)) is not None}
    return _written(message.message_id, message.act, message.queued_at, granted, certificate.snapshot)


def _written(name: str, act: Action, moment: datetime, granted: dict[str, str], snapshot: dict[str, Any]) -> bytes:
    def filled(texts: dict[str, str], names: tuple[str, ...]) -> list[Any]:
        return [business(name, texts[name]) for name in names if name in texts]

    root = business.certificate_message(
        business.message_id(name),
        business.act(act.value),
        business.queued_at(moment.isoformat()),
        business.certificate(*filled(snapshot | granted, (*CERTIFICATE_FIELDS, "replaces"))),
        business.application(*filled(snapshot, APPLICATION_FIELDS)),
        business.carriers(*(business.carrier(*filled(row, CARRIER_FIELDS)) for row in snapshot["carriers"])),
    )
    return _written_out(root, SCHEMA)


def question_xml(name: str) -> bytes:
    """Asks what became of the message `name`."""
    return _written_out(business.status_query(business.message_id(name)), SCHEMA)


def check_sendable(application: Application) -> None:
    """Whether its certificate could be told to customs, asked before anything is granted; raises Unsendable (CU9)."""
    snapshot = frozen(application) | {"applied_on": str(clock.today())}
    granted = SAMPLE | {"authority": application.authority or "", "signer": "–"}
    try:
        data = _written(f"{SAMPLE['number']}-0", Action.GRANT, clock.now(), granted, snapshot)
        enveloped(f"{SAMPLE['number']}-0", CERTIFICATE, clock.now(), data, Parties("-", "-"))
    except (etree.LxmlError, ValueError) as why:
        raise Unsendable(_("所填内容无法写入海关报文，请修改后再申报。（%(why)s）", why=why)) from None


def enveloped(name: str, kind: str, moment: datetime, data: bytes, parties: Parties, signature: bytes = b"") -> bytes:
    """`data` in a DxpMsg; the signature is a detached CMS (DER) over `data`. Raises Unsendable at 1 MB."""
    # «CreatTime» is the standard's own spelling.
    root = port.DxpMsg(
        port.TransInfo(
            port.CopMsgId(name),
            port.SenderId(parties.sender),
            port.ReceiverIds(port.ReceiverId(parties.receiver)),
            port.CreatTime(moment.isoformat(timespec="seconds")),
            port.MsgType(kind),
        ),
        port.Data(b64encode(data).decode()),
        port.AddInfo(*([port.Signature(b64encode(signature).decode())] if signature else [])),
        ver="1.0",
    )
    letter = _written_out(root, ENVELOPE)
    if len(letter) + (0 if signature else SIGNATURE) >= MOST:
        raise Unsendable(_("载体信息等内容过长，超过海关报文 1 MB 的限制，请分成几份申请。"))
    return letter


def opened(letter: bytes) -> Letter:
    """What an envelope holds; raises when it is none by the schema."""
    root = checked(letter, ENVELOPE)
    found = {name: root.findtext(f".//{{{DXP}}}{name}") for name in ("CopMsgId", "MsgType", "Data", "Signature")}
    signature = b64decode(found["Signature"]) if found["Signature"] else None
    return Letter(found["CopMsgId"], found["MsgType"], b64decode(found["Data"]), signature)


def parsed(xml: bytes) -> Any:
    """The root of a business message; raises when it is none by the schema."""
    return checked(xml, SCHEMA)


@cache
def _schema(file: Path) -> Any:
    return etree.XMLSchema(file=file)


def checked(xml: bytes, schema: Path) -> Any:
    """The root of `xml`, valid by the schema; raises where it is not. No entity is read."""
    root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))
    _schema(schema).assertValid(root)
    return root


def _written_out(root: Any, schema: Path) -> bytes:
    _schema(schema).assertValid(root)
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True))
