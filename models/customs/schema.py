"""The schemas of what is sent: the E-port's envelope, and our message, whose fields follow from the columns.

customs.xsd has everything but the fields of application and carrier: `<?columns …?>` is replaced by an element for
each granted column (models/columns.py), in their order, with type and length.
"""

from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree  # type: ignore[import-untyped,unused-ignore]
from lxml.builder import ElementMaker  # type: ignore[import-untyped,unused-ignore]
from sqlalchemy import Date, Integer

from models.application import Application
from models.application.carriers import Carrier
from models.columns import granted
from models.database import Exact
from models.vocabulary import WordColumn

XS = "http://www.w3.org/2001/XMLSchema"
TABLES = {"application": Application, "carrier": Carrier}
xs = ElementMaker(namespace=XS)


def message_xsd() -> bytes:
    """customs.xsd with its columns filled in, as printed by `flask customs schema`."""
    root = etree.parse(Path(__file__).with_name("customs.xsd")).getroot()
    lengths = set()
    for mark in root.xpath("//processing-instruction('columns')"):
        columns: list[Any] = [TABLES[mark.text].__table__.columns[name] for name in granted(TABLES[mark.text])]
        lengths |= {column.type.length for column in columns if _type_of(column).startswith("text")}
        mark.getparent().extend([_element(column) for column in columns])
        mark.getparent().remove(mark)
    known = root.xpath("xs:simpleType/@name", namespaces={"xs": XS})
    root.extend([_text_type(length) for length in sorted(lengths) if f"text{length}" not in known])
    etree.indent(root)
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True))


def _element(column: Any) -> Any:
    info = column.info
    optional = info.get("by") == "applicant" and not info.get("required")
    return xs.element(name=column.key, type=_type_of(column), **({"minOccurs": "0"} if optional else {}))


def _type_of(column: Any) -> str:
    """The XSD type of a column; a code or word is sent with its name (010-张): `named`."""
    match column.type:
        case WordColumn():
            return "named"
        case _ if "codes" in column.info:
            return "named"
        case Date():
            return "xs:date"
        case Exact():
            return "amount"
        case Integer():
            return "xs:positiveInteger"
    return f"text{column.type.length}"


def _text_type(length: int) -> Any:
    restriction = xs.restriction(xs.maxLength(value=str(length)), base="filled")
    return xs.simpleType(restriction, name=f"text{length}")


@cache
def message_schema() -> Any:
    """The schema of our messages: certificate_message, status_query."""
    return etree.XMLSchema(etree.fromstring(message_xsd()))


@cache
def envelope_schema() -> Any:
    """The schema of DxpMsg and DxpRep, the envelopes of the E-port."""
    return etree.XMLSchema(file=Path(__file__).with_name("dxp.xsd"))
