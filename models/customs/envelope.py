"""Messages to customs: the business message (customs.xsd) in the envelope DxpMsg of the China E-port (dxp.xsd)."""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from lxml import etree  # type: ignore[import-untyped,unused-ignore]
from lxml.builder import ElementMaker  # type: ignore[import-untyped,unused-ignore]

from models import clock
from models.application import Application
from models.application.carriers import Carrier
from models.certificate import frozen
from models.columns import granted
from models.customs import DXP, CustomsMessage
from models.customs.schema import envelope_schema, message_schema
from models.vocabulary import Action
from models.workflow import Refused

NAMESPACE = "urn:filing:certificate-message:1"  # our own: customs' message for certificate Z is not public
CERTIFICATE_FIELDS = ("number", "issued_on", "valid_until", "authority", "signer", "digest")
MOST = 1_000_000  # bytes of an envelope: the E-port accepts less than 1 MB
SIGNATURE = 8_000  # bytes reserved for a signature
CERTIFICATE, QUESTION = "FILING_Z", "FILING_Z_QUERY"  # MsgType, our own
SAMPLE = {"number": "Z00200000000000", "issued_on": "2000-01-01", "digest": "0" * 64}

business = ElementMaker(namespace=NAMESPACE, nsmap={None: NAMESPACE})
port = ElementMaker(namespace=DXP, nsmap={None: DXP})


class Unsendable(Refused):
    """The message is too long, or contains what XML or the schema cannot hold."""


@dataclass(frozen=True)
class Parties:
    """E-port numbers of sender and receiver (at most 16 characters)."""

    sender: str
    receiver: str


@dataclass(frozen=True)
class Letter:
    """A decoded envelope."""

    name: str  # CopMsgId
    kind: str  # MsgType
    data: bytes
    signature: bytes | None


def business_xml(message: CustomsMessage) -> bytes:
    """The message with the certificate's snapshot, not the current application; deterministic."""
    certificate = message.certificate
    issued = {name: str(value) for name in CERTIFICATE_FIELDS if (value := getattr(certificate, name)) is not None}
    return _business_message(message.message_id, message.act, message.queued_at, issued, certificate.snapshot)


def _business_message(
    name: str, act: Action, moment: datetime, issued: dict[str, str], snapshot: dict[str, Any]
) -> bytes:
    def elements(texts: dict[str, str], names: tuple[str, ...]) -> list[Any]:
        return [business(name, texts[name]) for name in names if name in texts]

    root = business.certificate_message(
        business.message_id(name),
        business.act(act.value),
        business.queued_at(moment.isoformat()),
        business.certificate(*elements(snapshot | issued, (*CERTIFICATE_FIELDS, "replaces"))),
        business.application(*elements(snapshot, granted(Application))),
        business.carriers(*(business.carrier(*elements(row, granted(Carrier))) for row in snapshot["carriers"])),
    )
    return _serialized(root, message_schema())


def question_xml(name: str) -> bytes:
    """A query for the status of the message with this id."""
    return _serialized(business.status_query(business.message_id(name)), message_schema())


def check_sendable(application: Application) -> None:
    """Raises Unsendable when no message could hold this application; called at 申报, before anything is granted."""
    snapshot = frozen(application) | {"applied_on": str(clock.today())}
    issued = SAMPLE | {"authority": application.authority or "", "signer": "–"}
    try:
        data = _business_message(f"{SAMPLE['number']}-0", Action.GRANT, clock.now(), issued, snapshot)
        enveloped(f"{SAMPLE['number']}-0", CERTIFICATE, clock.now(), data, Parties("-", "-"))
    except (etree.LxmlError, ValueError) as why:
        raise Unsendable(_("所填内容无法写入海关报文，请修改后再申报。（%(why)s）", why=why)) from None


def enveloped(name: str, kind: str, moment: datetime, data: bytes, parties: Parties, signature: bytes = b"") -> bytes:
    """A DxpMsg with `data`; `signature`: detached CMS (DER) over it. Raises Unsendable from 1 MB, with signature."""
    # «CreatTime» is the spelling of the standard.
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
    xml = _serialized(root, envelope_schema())
    if len(xml) + (0 if signature else SIGNATURE) >= MOST:
        raise Unsendable(_("载体信息等内容过长，超过海关报文 1 MB 的限制，请分成几份申请。"))
    return xml


def opened(letter: bytes) -> Letter:
    """Decode an envelope; raises LxmlError or ValueError when it is not valid by dxp.xsd."""
    root = checked(letter, envelope_schema())
    found = {name: root.findtext(f".//{{{DXP}}}{name}") for name in ("CopMsgId", "MsgType", "Data", "Signature")}
    signature = b64decode(found["Signature"]) if found["Signature"] else None
    return Letter(found["CopMsgId"], found["MsgType"], b64decode(found["Data"]), signature)


def parsed(xml: bytes) -> Any:
    """The root of a business message; raises LxmlError when it is not valid by the schema."""
    return checked(xml, message_schema())


def checked(xml: bytes, schema: Any) -> Any:
    """The root of `xml`; raises LxmlError when it is not valid by the schema. Entities are not resolved."""
    root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))
    schema.assertValid(root)
    return root


def _serialized(root: Any, schema: Any) -> bytes:
    """XML with declaration, in UTF-8; raises LxmlError when it is not valid by the schema."""
    schema.assertValid(root)
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True))
