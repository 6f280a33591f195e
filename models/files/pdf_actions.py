"""Whether a PDF can act: what its trailer leads to is judged by where it stands (ISO 32000-2, 7.7, 7.11 and 12.6).

An action stands under OpenAction, A, PA, AA or Next. It is automatic (OpenAction, AA, what follows these) or needs a
click. A stream in place of a dictionary counts as its dictionary, for viewers read it so. An object that nothing refers
to is never read by a viewer, and is not judged.
"""

import re
from enum import Enum, auto
from typing import Any

from pikepdf import Dictionary, Object, ObjectType, Pdf, Stream

from models.files.flaws import Flaw, Flawed

MOST_VALUES = 1_000_000  # in all arrays and dictionaries; each costs some 5 µs
HARMLESS = {"GoTo", "GoToDp", "Named", "Hide", "SetOCGState", "SetState", "NOP", "Trans", "ResetForm"}
LEAVING = {"URI", "GoToR", "Thread"}  # to the web or another file: on a click
FORBIDDEN = {
    "JavaScript", "Launch", "GoToE", "SubmitForm", "ImportData", "Sound", "Movie", "Rendition", "RichMediaExecute",
    "GoTo3DView",
}  # fmt: skip
PLAYED = {"RichMedia", "Movie", "Sound", "Screen", "3D"}  # annotations that play what they hold
SCHEMES = {"http", "https", "mailto", "ftp", "tel", "sms", "urn", "doi", "geo", "news"}
RESOURCES = {"Font", "XObject", "ColorSpace", "ExtGState", "Pattern", "Shading", "Properties"}
DATA = (".json", ".xml", ".xbrl")  # what may be embedded: e-invoices, and our own certificate, carry such data
MOST_DATA = 1 << 20  # bytes
SCRIPTED = re.compile(rb"<\?xml-stylesheet|<!DOCTYPE|<!ENTITY|1999/xhtml|2000/svg", re.IGNORECASE)


class Place(Enum):
    """Where a value stands."""

    ANYWHERE = auto()
    CHOSEN = auto()  # in a dictionary whose keys are chosen by the producer: a font may be called /JS
    RESOURCES = auto()
    APPEARANCE = auto()
    FORM = auto()  # AcroForm
    NAMES = auto()  # the name trees of the catalogue
    SCRIPTS = auto()  # the name tree of scripts, to its leaves
    EVENTS = auto()  # AA: a dictionary of actions
    AUTOMATIC = auto()  # an action
    CLICK = auto()  # an action


ACTIONS = {Place.AUTOMATIC, Place.CLICK}
LEADS_TO = {
    "OpenAction": Place.AUTOMATIC,
    "AA": Place.EVENTS,
    "A": Place.CLICK,
    "PA": Place.CLICK,
    "NA": Place.AUTOMATIC,  # of a step in a presentation
    "Resources": Place.RESOURCES,
    "DR": Place.RESOURCES,
    "AP": Place.APPEARANCE,
    "AcroForm": Place.FORM,
    "Names": Place.NAMES,
} | dict.fromkeys(("CharProcs", "Colorants", "Dests", "ClassMap", "RoleMap"), Place.CHOSEN)
COMPOUND = {ObjectType.array, ObjectType.dictionary, ObjectType.stream}

Entries = dict[str, Any]
Found = list[tuple[Any, Place]]


def check_actions(pdf: Pdf) -> None:
    """Walk all that the trailer leads to; raises Flawed: ACTIVE, EMBEDDED, LOCKED or COMPLEX."""
    left: Found = [(pdf.trailer, Place.ANYWHERE)]
    seen: set[tuple[tuple[int, int], Place]] = set()
    values = 0
    while left:
        value, place = left.pop()
        if value.is_indirect:
            if (value.objgen, place) in seen:
                continue
            seen.add((value.objgen, place))
        inner = [(each, place) for each in value] if value._type_code is ObjectType.array else _inside(value, place)
        values += len(inner)
        if values > MOST_VALUES:
            raise Flawed(Flaw.COMPLEX)
        left += [(each, where) for each, where in inner if isinstance(each, Object) and each._type_code in COMPOUND]


def _inside(value: Any, place: Place) -> Found:
    """Judge a dictionary, or the dictionary of a stream; its values and where they stand."""
    stream, entries = value._type_code is ObjectType.stream, _entries(value)
    if place is Place.CHOSEN and not stream:
        return [(each, Place.ANYWHERE) for each in entries.values()]
    if place in ACTIONS:
        _check_action(entries, place)
    if place is Place.SCRIPTS and entries.keys() & {"S", "JS"}:
        raise Flawed(Flaw.ACTIVE)
    if stream and "F" in entries:  # its data are in another file
        raise Flawed(Flaw.ACTIVE)
    _check_entries(entries, place)
    return [(each, _place_in(place, key)) for key, each in entries.items() if key != "PieceInfo"]


def _entries(value: Any) -> Entries:
    """A dictionary, or that of a stream, by names without their slash."""
    entries = value.stream_dict if value._type_code is ObjectType.stream else value
    return {key[1:]: each for key, each in entries.items()}


def _place_in(place: Place, key: str) -> Place:
    """Where the value of `key` stands, in a dictionary that stands at `place`."""
    if place is Place.EVENTS:
        return Place.AUTOMATIC
    if place is Place.SCRIPTS or (place is Place.NAMES and key == "JavaScript"):
        return Place.SCRIPTS
    if place in ACTIONS and key == "Next":
        return place
    if place is Place.APPEARANCE or (place is Place.RESOURCES and key in RESOURCES):
        return Place.CHOSEN
    return LEADS_TO.get(key, Place.ANYWHERE)


def _check_action(entries: Entries, place: Place) -> None:
    """A kind of action that is not known counts as harmful when it says what to do."""
    kind = _word(entries.get("S"))
    if kind in LEAVING:
        harmless = _is_lawful(entries.get("URI")) if place is Place.CLICK else _is_beside(entries.get("F"))
    else:
        harmless = kind in HARMLESS or not entries.keys() - {"S", "Type", "Next"} or not entries.keys() & {"S", "JS"}
    if not harmless:
        raise Flawed(Flaw.ACTIVE)


def _check_entries(entries: Entries, place: Place) -> None:
    """What is harmful wherever it stands."""
    kind, subtype = _word(entries.get("Type")), _word(entries.get("Subtype"))
    acts = _word(entries.get("S")) in FORBIDDEN and kind != "StructElem"
    if acts or subtype in PLAYED or kind == "Rendition" or (place is Place.FORM and "XFA" in entries):
        raise Flawed(Flaw.ACTIVE)
    if subtype == "FileAttachment":
        raise Flawed(Flaw.EMBEDDED)
    if isinstance(entries.get("EF"), Dictionary | Stream):
        _check_embedded(entries)
    elif not all(_is_near(entries.get(key)) for key in ("F", "UF", "DOS", "Mac", "Unix", "Base")):
        raise Flawed(Flaw.ACTIVE)


def _check_embedded(specification: Entries) -> None:
    """Embedded files are refused but for plain data; an encrypted payload is a document that needs a password."""
    if _word(specification.get("AFRelationship")) == "EncryptedPayload" or "EP" in specification:
        raise Flawed(Flaw.LOCKED)
    names = [str(specification[key]) for key in ("F", "UF", "DOS", "Mac", "Unix") if key in specification]
    if not names or not all(name.lower().endswith(DATA) for name in names) or "RF" in specification:
        raise Flawed(Flaw.EMBEDDED)
    for stream in _entries(specification["EF"]).values():
        content = stream.read_bytes() if isinstance(stream, Stream) else b"\0"
        if len(content) > MOST_DATA or SCRIPTED.search(content) or not _is_text(content):
            raise Flawed(Flaw.EMBEDDED)


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False


def _word(value: Any) -> str:
    """A name without its slash; empty for anything else."""
    return str(value)[1:] if isinstance(value, Object) and value._type_code is ObjectType.name_ else ""


def _text(value: Any) -> str:
    """A string as an address: no blanks, one kind of slash, small letters; empty for anything else."""
    if not isinstance(value, Object) or value._type_code is not ObjectType.string:
        return ""
    return re.sub(r"[\0-\x20\x7f-\xa0]", "", str(value)).replace("\\", "/").lower()


def _is_lawful(value: Any) -> bool:
    """Whether an address leads to the web, a mailbox or a file of this machine, and not to a script or a share."""
    address = _text(value)
    scheme = re.match(r"([a-z][a-z0-9+.-]+):(?!\d)", address)
    if scheme is None:
        return not address.startswith("//")
    if scheme[1] == "file":
        return re.match(r"file:(/?|///|//localhost/)(?!/)", address) is not None
    return scheme[1] in SCHEMES


def _is_near(value: Any) -> bool:
    """Whether a file is named that lies beside this one, on a drive (/C/…) or in the web: not on a network share."""
    return _is_lawful(value) and re.match(r"/(?![a-z]/)", _text(value)) is None


def _is_beside(value: Any) -> bool:
    """Whether a file is named by a relative path: patent offices open the next part of a document so."""
    names = _entries(value).values() if isinstance(value, Dictionary | Stream) else [value]
    found = [_text(name) for name in names if _text(name)]
    return bool(found) and not any(":" in name or name.startswith("/") for name in found)
