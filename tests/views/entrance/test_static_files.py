"""Style sheets and scripts: small, cached by the browser, without cookies."""

import gzip
import re
from pathlib import Path
from urllib.parse import unquote, urljoin

import pytest
from flask import Flask

from tests import ROOT
from tests.browsing import ClientAs
from views.entrance.joined_files import script
from views.entrance.static_files import ENTRANCE, SHEETS, StaticFiles, init_app

NAMED = re.compile(r'(?:href|src)="(/assets/[^"]+)"')
PICTURE = re.compile(r"\(\"[^\"]+svg[^\"]+\"\)|\(\"[^\"]+svg\"\)")
BESIDE = re.compile(r'(?:import|from|url\()\s*"([^"]+)"')


@pytest.mark.parametrize(("who", "page"), [(None, "/login"), (None, "/verify/"), ("publisher", "/applications/")])
def test_the_files_of_a_page_are_small_and_cacheable(client_as: ClientAs, who: str | None, page: str) -> None:
    browser, total = client_as(who), 0
    addresses = set(NAMED.findall(browser.get(page).text))
    assert addresses
    for address in addresses:
        answer = browser.get(address, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["Cache-Control"]
        assert "max-age=31536000" in answer.headers["Cache-Control"]
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Vary"] == "Accept-Encoding"
        total += len(answer.data)
        plain = browser.get(address)
        assert "Content-Encoding" not in plain.headers
        if answer.headers.get("Content-Encoding") == "gzip":
            assert gzip.decompress(answer.data) == plain.data
    assert total < 43_800


def test_an_unchanged_file_is_answered_with_304(client_as: ClientAs) -> None:
    browser = client_as(None)
    whole = browser.get("/assets/entrance/all.css")
    assert "no-cache" in whole.headers["Cache-Control"]
    again = browser.get("/assets/entrance/all.css", headers={"If-None-Match": whole.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    packed = browser.get("/assets/entrance/all.css", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["ETag"] != whole.headers["ETag"]


def test_the_address_of_another_release_is_answered_and_not_cached(client_as: ClientAs) -> None:
    """By a page that was open while the server was renewed."""
    answer = client_as(None).get("/assets/0123456789abcdef/entrance/all.css")
    assert (answer.status_code, answer.data) == (200, client_as(None).get("/assets/entrance/all.css").data)
    assert set(answer.headers["Cache-Control"].split(", ")) == {"no-cache", "public"}


def test_a_file_outside_the_folder_is_a_404(client_as: ClientAs) -> None:
    for address in ("/assets/0123456789abcdef/../app.py", "/assets/../app.py", "/assets/panel/missing.js", "/assets/"):
        assert client_as(None).get(address).status_code == 404, address


def test_the_digest_changes_with_the_content_of_any_file(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a {}")
    first = StaticFiles(tmp_path).digest
    assert StaticFiles(tmp_path).digest == first
    (tmp_path / "a.css").write_text("b {}")
    assert StaticFiles(tmp_path).digest != first


@pytest.mark.slow
def test_files_named_by_scripts_and_style_sheets_are_under_the_same_digest(client_as: ClientAs) -> None:
    """A relative address of a script or a style sheet leads into the same folder of the digest."""
    browser, found = client_as("publisher"), set[str]()
    waiting = set(NAMED.findall(browser.get("/applications/").text))
    while waiting:
        address = waiting.pop()
        found.add(address)
        answer = browser.get(address)
        assert (answer.status_code, "immutable" in answer.headers["Cache-Control"]) == (200, True), address
        if address.endswith((".js", ".css")):
            waiting |= {urljoin(address, beside) for beside in BESIDE.findall(answer.text) if ":" not in beside} - found
    assert {name.rpartition("/")[2] for name in found} >= {"all.js", "all.css", "bell.svg"}


def test_the_joined_style_sheet_contains_its_pictures(client_as: ClientAs) -> None:
    sheet = client_as(None).get("/assets/panel/all.css").text
    pictures = re.findall(r'url\("([^"]+)"\)', sheet)
    assert pictures
    for picture in pictures:
        kind, _comma, drawn = picture.partition(",")
        assert kind == "data:image/svg+xml"
        assert unquote(drawn).startswith("<svg")


def test_the_panel_scripts_are_joined_in_import_order(client_as: ClientAs) -> None:
    """Every module, except those of other pages, is in it once, after its imports."""
    script = client_as(None).get("/assets/panel/all.js").text
    names = [f"panel/{path.name}" for path in (ROOT / "templates" / "static" / "panel").glob("*.js")]
    for name in names:
        assert script.count(f"const {re.sub(r'[^a-z]', '_', name)} = (() => {{") == 1, name
    for imported in re.finditer(r"^const \{.*\} = (\w+);$", script, re.M):
        assert f"const {imported[1]} = (() => {{" in script[: imported.start()]


def test_each_joined_script_has_a_scope_of_its_own() -> None:
    sources = {
        "one.js": 'import { a, b as c } from "./below/two.js";\nimport "./three.js";\nc(a);\n',
        "below/two.js": 'import "../four.js";\nexport const a = 1;\nexport async function b() {}\n',
        "three.js": 'import { a } from "./below/two.js";\nf(a);\n',
        "four.js": "f();\n",
    }
    joined = script({name: text.encode() for name, text in sources.items()}, "one.js").decode()
    four, two, three, one = "const four_js", "const below_two_js", "const three_js", "const one_js"
    assert joined.startswith(four)
    assert joined.split("};\n})();\n")[1].startswith(f"{two} = (() => {{\n")
    assert joined.index(three) < joined.index(one)
    assert "async function b() {}\nreturn { a, b };\n})();\n" in joined
    assert "const { a, b: c } = below_two_js;\n\nc(a);\n" in joined
    assert not re.search("^(import|export)", joined, re.M)


@pytest.mark.parametrize("line", ['import * as x from "./b.js";', "export default 1;", 'export { a } from "./b.js";'])
def test_a_script_that_cannot_be_joined_raises_an_error(line: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"one.js: {line}")):
        script({"one.js": f"{line}\n".encode(), "b.js": b""}, "one.js")


def test_a_script_that_imports_what_is_not_exported_raises_an_error() -> None:
    """A browser would refuse such modules; joined, the name would be undefined until it is called."""
    sources = {"one.js": b'import { a, b as c } from "./b.js";\n', "b.js": b"export const a = 1;\nconst b = 2;\n"}
    with pytest.raises(ValueError, match=r"one\.js: b is not exported by b\.js"):
        script(sources, "one.js")


def test_the_panel_style_sheets_are_joined_in_cascade_order(client_as: ClientAs) -> None:
    """Every sheet of the panel is in it, and a page of the panel asks for no other."""
    browser = client_as("publisher")
    page = browser.get("/applications/").text
    (address,) = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page)
    joined = browser.get(address).text
    static = ROOT / "templates" / "static"
    joined = PICTURE.sub("(picture)", joined)
    sheets = {
        path.relative_to(static).as_posix(): PICTURE.sub("(picture)", path.read_text(encoding="utf-8"))
        for path in (*static.glob("panel/*.css"), static / "panel.css")
    }
    assert [name for name, content in sheets.items() if content not in joined] == []
    first, *_rest, last = SHEETS
    assert joined.startswith((static / f"{first}.css").read_text(encoding="utf-8"))
    assert joined.endswith(sheets[f"{last}.css"])


def test_a_folder_whose_scripts_cannot_be_joined_stops_the_start(tmp_path: Path) -> None:
    app = Flask(__name__, static_folder=str(tmp_path))
    for name in (*SHEETS, *ENTRANCE):
        (tmp_path / f"{name}.css").parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.css").write_text("")
    (tmp_path / "panel.js").write_text('import * as all from "./all.js";\n')
    with pytest.raises(ValueError, match=re.escape("panel.js")):
        init_app(app)
