"""Every object in the bytes of a PDF by its number, also those that the cross-reference tables do not list.

Readers differ in which object they find under a number: by the table or by a search, by index or by number in an
object stream, with or without the generation. So a copy is written in which all of them can be reached: an object whose
number occurs once keeps it; objects that share a number get new numbers, and the shared number becomes an array of
references to them. A walk through arrays then visits every object that any reader could use.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from io import BytesIO
from itertools import count, islice, pairwise
from typing import Any, NamedTuple

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream

from models.files.flaws import Flaw, Flawed
from models.files.pdf_actions import FORBIDDEN

BLANK = rb"(?:[\0\t\n\f\r ]|%[^\r\n]*+[\r\n])"
HEADER = re.compile(  # `12 0 obj`, comments between included; or `trailer` before its dictionary
    rb"(?<![\d.+-])([\d.+-]++)BLANK++([\d.+-]++)BLANK*+obj(?![a-z])|(?<![a-z])trailer(?=BLANK*+<<)".replace(
        b"BLANK", BLANK
    )
)
GENERATION = re.compile(rb"(?<=\d)(BLANK++)(0*+[1-9]\d*+)(?=BLANK++R(?![A-Za-z]))".replace(b"BLANK", BLANK))
NAME = re.compile(BLANK + rb"*+/")
LARGEST = 8_388_607  # object number (ISO 32000-1, annex C)
MOST_OBJECTS = 1_000_000  # each costs some 10 µs
MOST_PACKED = 64 << 20  # bytes of all object streams, unpacked
END = b"""
xref
0 1
0000000000 65535 f\x20
%strailer<</Root<</Pages<</Kids[]/Count 0>>>>/Size %d%s>>
startxref
%d
%%%%EOF
"""
IN_OBJECT = re.compile(r"\(object (\d+) \d+, offset \d+\): (.*)", re.DOTALL)  # a warning of qpdf
# Faults that qpdf repairs as every reader does. Others it reads as null; another reader may find an action there.
MENDED = re.compile(
    r"dictionary has duplicated key|expected \S+ \S+ obj|expected endobj|expected endstream|stream keyword"
    r"|stream dictionary lacks /Length|attempting to recover stream length|recovered stream length"
    r"|unable to recover stream data"
)
ACTIVE = re.compile(rb"/(?:%s)(?![A-Za-z0-9])" % "|".join(sorted(FORBIDDEN | {"JS", "XFA", "EF"})).encode())
ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")  # in a name


class Part(NamedTuple):
    """An object, or the dictionary of a trailer (no number)."""

    numbers: tuple[int, ...]  # more than one: several entries of an object stream are at one place
    generation: bytes
    text: bytes  # from after `obj` to the next header


class Union:
    """The copy of a file (`pdf`), and where a walk begins in it."""

    def __init__(self, content: bytes, original: Pdf) -> None:
        """`original`: `content` as qpdf opens it. Raises Flawed: AMBIGUOUS, COMPLEX or LOCKED."""
        parts = _parts(content)
        if original.is_encrypted:
            parts = _decrypted_parts(parts, original)
        with _copy(parts, _numbers(parts)) as unpacked:
            packed = _packed_parts(unpacked)
        numbers = _numbers(parts + packed)
        _check_names(parts + packed, numbers)
        self.pdf = _copy(parts + packed, numbers)
        self.objects = [each for each in self.pdf.objects if isinstance(each, Object)]
        self.warnings = [str(warning) for warning in self.pdf.get_warnings()]
        _check_copy(self.warnings, parts + packed, numbers, set(numbers[len(parts) :]))
        self.trailers = {number for part, number in zip(parts, numbers, strict=False) if not part.numbers}

    def roots(self) -> list[Object]:
        """Trailers and catalogues first, then all other objects."""
        return sorted(self.objects, key=lambda each: not self._is_root(each))

    def _is_root(self, value: Object) -> bool:
        return value.objgen[0] in self.trailers or (
            isinstance(value, Dictionary | Stream) and value.get("/Type") in ("/Catalog", "/XRef")
        )


def _parts(content: bytes) -> list[Part]:
    """The objects and trailers of a file, in its order; references to a later generation refer to the first."""
    content = GENERATION.sub(lambda match: match[1] + b"0" * len(match[2]), content)
    headers = list(islice(HEADER.finditer(content), MOST_OBJECTS + 1))
    if len(headers) > MOST_OBJECTS:
        raise Flawed(Flaw.COMPLEX)
    ends = [header.start() for header in headers[1:]] + [len(content)]
    return [
        Part((_number(*header.groups()),) if header[1] else (), header[2] or b"", content[header.end() : end])
        for header, end in zip(headers, ends, strict=True)
    ]


def _number(number: bytes, generation: bytes = b"0") -> int:
    """The number of an object; raises Flawed (AMBIGUOUS) for what readers may take for another one."""
    if not number.isdigit() or not generation.isdigit() or int(number) > LARGEST:
        raise Flawed(Flaw.AMBIGUOUS)
    return int(number)


def _numbers(parts: list[Part]) -> list[int]:
    """For each part its number in the copy: its own if no other part has it."""
    own = Counter(number for part in parts for number in part.numbers)
    new = count(max(own, default=0) + 1)
    return [part.numbers[0] if len(part.numbers) == 1 and own[part.numbers[0]] == 1 else next(new) for part in parts]


def _copy(parts: list[Part], numbers: list[int], entries: bytes = b"") -> Pdf:
    """A file of these parts, opened; `entries`: more of its trailer."""
    content, offsets, shared = bytearray(b"%PDF-1.7\n"), dict[int, int](), defaultdict[int, list[int]](list)
    for part, number in zip(parts, numbers, strict=True):
        content += b" "  # no line end: an object may begin in a comment of another one
        offsets[number] = len(content)
        content += b"%d 0 obj %s" % (number, part.text)
        for other in part.numbers:
            shared[other].append(number)
    for number, several in shared.items():
        if several != [number]:
            content += b"\n"
            offsets[number] = len(content)
            content += b"%d 0 obj [%s] endobj" % (number, b" ".join(b"%d 0 R" % each for each in several))
    table = b"".join(b"%d 1\n%010d 00000 n \n" % entry for entry in sorted(offsets.items()))
    end = END % (table, max(offsets, default=0) + 1, entries, len(content) + 1)
    return pikepdf.open(BytesIO(content + end))


def _decrypted_parts(parts: list[Part], original: Pdf) -> list[Part]:
    """The parts of an encrypted file, decrypted. Number and generation are in the key: raises Flawed (LOCKED) where
    they are not unique."""
    trailers, objects = [part for part in parts if not part.numbers], [part for part in parts if part.numbers]
    numbers = _numbers(objects)
    if any(
        (number,) != part.numbers or part.generation.strip(b"0") for part, number in zip(objects, numbers, strict=True)
    ):
        raise Flawed(Flaw.LOCKED)
    lock = original.trailer.Encrypt.unparse(), original.trailer.get("/ID", Array()).unparse()
    with _copy(objects, numbers, b"/Encrypt %s/ID%s" % lock) as locked:
        values = [(number, locked.get_object(number, 0)) for number in numbers]
        check_read([str(warning) for warning in locked.get_warnings()])
        return trailers + [Part((number,), b"0", _text(value)) for number, value in values]


def _text(value: Any) -> bytes:
    """An object as it is written in a file, decrypted."""
    if not isinstance(value, Object):  # a number, a boolean or null
        return str(value).lower().replace("none", "null").encode() + b"\nendobj\n"
    if not isinstance(value, Stream):
        return value.unparse(resolved=True) + b"\nendobj\n"
    entries = b"".join(
        b"%s %s " % (Name(key).unparse(), each.unparse() if isinstance(each, Object) else str(each).lower().encode())
        for key, each in value.stream_dict.items()
    )
    return b"<<%s>>stream\n%s\nendstream\nendobj\n" % (entries, value.read_raw_bytes())


def _packed_parts(pdf: Pdf) -> list[Part]:
    """The entries of all object streams. Not identified by /Type: some readers go by the cross-reference table."""
    parts, unpacked = list[Part](), 0
    for each in pdf.objects:
        if isinstance(each, Stream) and (each.get("/Type") == "/ObjStm" or ("/N" in each and "/First" in each)):
            try:
                content = each.read_bytes()
            except (pikepdf.PdfError, pikepdf.DataDecodingError):
                raise Flawed(Flaw.COMPLEX) from None
            unpacked += len(content)
            if unpacked > MOST_PACKED:
                raise Flawed(Flaw.COMPLEX)
            parts += _entries(content, each.get("/N"), each.get("/First"))
    return parts


def _entries(content: bytes, count: Any, first: Any) -> Iterator[Part]:
    """The entries of an unpacked object stream. Raises Flawed (AMBIGUOUS) when its header is not plain."""
    if type(count) is not int or type(first) is not int or not 0 <= first <= len(content):
        raise Flawed(Flaw.AMBIGUOUS)
    words = content[:first].partition(b"%")[0].split()  # qpdf may write a comment after the numbers
    if len(words) != 2 * count or not all(word.isdigit() and int(word) <= MOST_PACKED for word in words):
        raise Flawed(Flaw.AMBIGUOUS)
    places = defaultdict[int, list[int]](list)
    for number, offset in zip(words[::2], words[1::2], strict=True):
        places[first + int(offset)].append(_number(number))
    content = GENERATION.sub(lambda match: match[1] + b"0" * len(match[2]), content)
    for begin, end in pairwise([*sorted(places), len(content)]):
        yield Part(tuple(places[begin]), b"0", content[begin:end] + b"\nendobj\n")


def _check_names(parts: list[Part], numbers: list[int]) -> None:
    """Raises Flawed (AMBIGUOUS) for a name object that shares its number, as it may be the type of an action."""
    shared = (part for part, number in zip(parts, numbers, strict=True) if (number,) != part.numbers)
    if any(NAME.match(part.text) for part in shared):
        raise Flawed(Flaw.AMBIGUOUS)


def check_read(warnings: list[str]) -> None:
    """Raises Flawed (AMBIGUOUS) when qpdf could not read an object that another reader may read."""
    if any(found and not MENDED.match(found[2]) for found in map(IN_OBJECT.search, warnings)):
        raise Flawed(Flaw.AMBIGUOUS)


def _check_copy(warnings: list[str], parts: list[Part], numbers: list[int], packed: set[int]) -> None:
    """Raises Flawed (AMBIGUOUS) when entries of an object stream overlap, or a broken object contains an action.

    Other broken objects are accepted: a text may look like the beginning of an object.
    """
    found = [(int(match[1]), match[2]) for match in map(IN_OBJECT.search, warnings) if match]
    if any(number in packed and "duplicated key" not in words for number, words in found):
        raise Flawed(Flaw.AMBIGUOUS)
    broken = {number for number, words in found if not MENDED.match(words)}
    for part, number in zip(parts, numbers, strict=True):
        if number in broken and ACTIVE.search(ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), part.text)):
            raise Flawed(Flaw.AMBIGUOUS)
