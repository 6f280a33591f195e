"""Check of a PDF for actions: every object, by its place (ISO 32000-2, 7.7, 7.11, 12.6).

An action is the value of OpenAction, A, PA, AA or Next. It runs automatically (OpenAction, AA, and Next of these) or
on a click. A stream in place of a dictionary is checked as its dictionary, because viewers read it so. An object that
nothing refers to, or that an update replaced, counts too.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from enum import Enum, auto
from typing import Any

from pikepdf import Array, Dictionary, Object, ObjectType, Stream

from models.files.flaws import Flaw, Flawed

MOST_VALUES = 1_000_000  # in all arrays and dictionaries; each costs some 5 µs
HARMLESS = {"GoTo", "GoToDp", "Named", "Hide", "SetOCGState", "SetState", "NOP", "Trans", "ResetForm"}
EXTERNAL = {"URI", "GoToR", "Thread"}  # open the web or another file: allowed on a click
FORBIDDEN = {
    "JavaScript", "Launch", "GoToE", "SubmitForm", "ImportData", "Sound", "Movie", "Rendition", "RichMediaExecute",
    "GoTo3DView",
}  # fmt: skip
PLAYED = {"RichMedia", "Movie", "Sound", "Screen", "3D"}  # annotations that play media
SCHEMES = {"http", "https", "mailto", "ftp", "tel", "sms", "urn", "doi", "geo", "news"}
RESOURCES = {"Font", "XObject", "ColorSpace", "ExtGState", "Pattern", "Shading", "Properties"}
DATA = (".json", ".xml", ".xbrl")  # files that may be embedded, as in e-invoices and in our own certificate
MOST_DATA = 1 << 20  # bytes
SCRIPTED = re.compile(rb"<\?xml-stylesheet|<!DOCTYPE|<!ENTITY|1999/xhtml|2000/svg", re.IGNORECASE)


class Place(Enum):
    """Where in the document structure a value is found."""

    ANYWHERE = auto()
    NAMED_BY_PRODUCER = auto()  # a dictionary with freely chosen keys: a font may be called /JS
    RESOURCES = auto()
    APPEARANCE = auto()
    FORM = auto()  # AcroForm
    NAMES = auto()  # the Names dictionary of the catalogue
    SCRIPTS = auto()  # the name tree JavaScript, down to its leaves
    EVENTS = auto()  # AA: a dictionary of actions
    AUTOMATIC = auto()  # an action that runs without a click
    CLICK = auto()  # an action that runs on a click


ACTIONS = {Place.AUTOMATIC, Place.CLICK}
PLACE_OF_KEY = {
    "OpenAction": Place.AUTOMATIC,
    "AA": Place.EVENTS,
    "A": Place.CLICK,
    "PA": Place.CLICK,
    "NA": Place.AUTOMATIC,  # of a navigation node in a presentation
    "Resources": Place.RESOURCES,
    "DR": Place.RESOURCES,
    "AP": Place.APPEARANCE,
    "AcroForm": Place.FORM,
    "Names": Place.NAMES,
} | dict.fromkeys(("CharProcs", "Colorants", "Dests", "ClassMap", "RoleMap"), Place.NAMED_BY_PRODUCER)
COMPOUND = {ObjectType.array, ObjectType.dictionary, ObjectType.stream}

Entries = dict[str, Any]
Found = list[tuple[Any, Place]]


def check_actions(roots: Iterable[Object]) -> None:
    """Walk every object reachable from the roots; raises Flawed: ACTIVE, EMBEDDED, LOCKED or COMPLEX.

    A root that was reached from an earlier one is not walked again: its place is known.
    """
    visited: defaultdict[tuple[int, int], set[Place]] = defaultdict(set)
    values = 0
    for root in roots:
        pending: Found = [] if root.objgen in visited or root._type_code not in COMPOUND else [(root, Place.ANYWHERE)]
        while pending:
            value, place = pending.pop()
            if value.is_indirect:
                if place in visited[value.objgen]:
                    continue
                visited[value.objgen].add(place)
            inner = _check_value(value, place)
            values += len(inner)
            if values > MOST_VALUES:
                raise Flawed(Flaw.COMPLEX)
            pending += [each for each in inner if isinstance(each[0], Object) and each[0]._type_code in COMPOUND]


def _check_value(value: Any, place: Place) -> Found:
    """Check an array, dictionary or stream; its values and their places. Raises Flawed."""
    array = value._type_code is ObjectType.array
    return [(each, place) for each in value] if array else _check_dictionary(value, place)


def _check_dictionary(value: Any, place: Place) -> Found:
    """Check a dictionary, or that of a stream; its values and their places. Raises Flawed."""
    stream, entries = value._type_code is ObjectType.stream, _entries(value)
    if place is Place.NAMED_BY_PRODUCER and not stream:
        return [(each, Place.ANYWHERE) for each in entries.values()]
    if place in ACTIONS:
        _check_action(entries, place)
    if place is Place.SCRIPTS and entries.keys() & {"S", "JS"}:
        raise Flawed(Flaw.ACTIVE)
    if stream and "F" in entries:  # the data are in an external file
        raise Flawed(Flaw.ACTIVE)
    _check_entries(entries, place)
    return [(each, _place_in(place, key)) for key, each in entries.items() if key != "PieceInfo"]


def _entries(value: Any) -> Entries:
    """The entries of a dictionary, or of a stream's dictionary; keys without their slash."""
    entries = value.stream_dict if value._type_code is ObjectType.stream else value
    return {key[1:]: each for key, each in entries.items()}


def _place_in(place: Place, key: str) -> Place:
    """The place of the value of `key` in a dictionary at `place`."""
    if place is Place.EVENTS:
        return Place.AUTOMATIC
    if place is Place.SCRIPTS or (place is Place.NAMES and key == "JavaScript"):
        return Place.SCRIPTS
    if place in ACTIONS and key == "Next":
        return place
    if place is Place.APPEARANCE or (place is Place.RESOURCES and key in RESOURCES):
        return Place.NAMED_BY_PRODUCER
    return PLACE_OF_KEY.get(key, Place.ANYWHERE)


def _check_action(entries: Entries, place: Place) -> None:
    """Raises Flawed (ACTIVE) for a harmful action; an unknown kind is harmful when it has entries besides its type."""
    kind = _name(entries.get("S"))
    if kind in EXTERNAL:
        harmless = _is_allowed_address(entries.get("URI")) if place is Place.CLICK else _is_relative(entries.get("F"))
    else:
        harmless = kind in HARMLESS or not entries.keys() - {"S", "Type", "Next"} or not entries.keys() & {"S", "JS"}
    if not harmless:
        raise Flawed(Flaw.ACTIVE)


def _check_entries(entries: Entries, place: Place) -> None:
    """Raises Flawed for what is harmful at any place."""
    kind, subtype = _name(entries.get("Type")), _name(entries.get("Subtype"))
    acts = _name(entries.get("S")) in FORBIDDEN and kind != "StructElem"
    if acts or subtype in PLAYED or kind == "Rendition" or (place is Place.FORM and "XFA" in entries):
        raise Flawed(Flaw.ACTIVE)
    if subtype == "FileAttachment":
        raise Flawed(Flaw.EMBEDDED)
    if isinstance(entries.get("EF"), Array):  # alternatives
        raise Flawed(Flaw.EMBEDDED)
    if isinstance(entries.get("EF"), Dictionary | Stream):
        _check_embedded(entries)
    elif not all(_is_not_a_share(entries.get(key)) for key in ("F", "UF", "DOS", "Mac", "Unix", "Base")):
        raise Flawed(Flaw.ACTIVE)


def _check_embedded(specification: Entries) -> None:
    """Raises Flawed: EMBEDDED for files other than plain data, LOCKED for an encrypted payload (needs a password)."""
    if _name(specification.get("AFRelationship")) == "EncryptedPayload" or "EP" in specification:
        raise Flawed(Flaw.LOCKED)
    names = [str(specification[key]) for key in ("F", "UF", "DOS", "Mac", "Unix") if key in specification]
    if not names or not all(name.lower().endswith(DATA) for name in names) or "RF" in specification:
        raise Flawed(Flaw.EMBEDDED)
    for stream in _entries(specification["EF"]).values():
        content = stream.read_bytes() if isinstance(stream, Stream) else b"\0"
        if len(content) > MOST_DATA or SCRIPTED.search(content) or not _is_text(content):
            raise Flawed(Flaw.EMBEDDED)


def _is_text(content: bytes) -> bool:
    """Whether these bytes are UTF-8 without NUL."""
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False


def _name(value: Any) -> str:
    """A name object without its slash; "" for anything else."""
    return str(value)[1:] if isinstance(value, Object) and value._type_code is ObjectType.name_ else ""


def _texts(value: Any) -> list[str]:
    """A string object, or each in an array of alternatives, as an address: no blanks, forward slashes, lower case."""
    values = value if isinstance(value, Array) else [value]
    strings = [str(each) for each in values if isinstance(each, Object) and each._type_code is ObjectType.string]
    return [re.sub(r"[\0-\x20\x7f-\xa0]", "", each).replace("\\", "/").lower() for each in strings]


def _is_allowed_address(value: Any) -> bool:
    """Whether an address points to the web, a mailbox or a local file, and not to a script or a network share."""
    return all(_is_allowed(address) for address in _texts(value))


def _is_allowed(address: str) -> bool:
    scheme = re.match(r"([a-z][a-z0-9+.-]+):(?!\d)", address)
    if scheme is None:
        return not address.startswith("//")
    if scheme[1] == "file":
        return re.match(r"file:(/?|///|//localhost/)(?!/)", address) is not None
    return scheme[1] in SCHEMES


def _is_not_a_share(value: Any) -> bool:
    """Whether a file name is relative, on a drive (/C/…) or on the web, and not on a network share."""
    return all(_is_allowed(path) and not re.match(r"/(?![a-z]/)", path) for path in _texts(value))


def _is_relative(value: Any) -> bool:
    """Whether a file is named by a relative path: documents of patent offices open their next part that way."""
    names = _entries(value).values() if isinstance(value, Dictionary | Stream) else [value]
    paths = [path for name in names for path in _texts(name) if path]
    return bool(paths) and not any(":" in path or path.startswith("/") for path in paths)
