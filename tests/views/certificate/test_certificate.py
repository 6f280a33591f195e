"""The certificate as PDF, and the public page behind its QR code."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import urlopen

import pikepdf
import pypdfium2
import pytest
import zxingcpp
from flask import Flask
from sqlalchemy import select

from models import access
from models.acts.papers import order
from models.certificate import Certificate, typesetting
from models.certificate.display import dated, total_of
from models.certificate.typesetting import Order
from tests import ROOT
from views.certificate import page
from views.resources import keys

SCRIPT = "<script>alert(1)</script>"
MILLIMETRE = 72 / 25.4
TEXTS = (
    "title", "catalogue_number", "isrc", "copyright_owner", "manufacturer", "sid_code", "contract_number",
    "consignee", "trade_mode",
)  # fmt: skip


@pytest.fixture
def granted(app: Flask) -> Callable[..., Certificate]:
    """`granted(key)`: a copy of that application's certificate; keyword arguments change its snapshot."""

    def copied(key: int, **changes: Any) -> Certificate:
        with app.app_context(), access.everything() as session:
            found = session.scalars(select(Certificate).where(Certificate.application_id == key)).one()
            content = json.dumps(found.snapshot | changes)
            fields = {
                name: getattr(found, name) for name in ("number", "issued_on", "authority", "signer", "check_code")
            }
            return Certificate(content=content, digest=found.digest, **fields)

    return copied


@pytest.fixture
def paper(app: Flask, granted: Callable[..., Certificate]) -> Callable[..., bytes]:
    """`paper(key)`: the PDF of that application's certificate, made in this process."""

    def on_paper(key: int, **changes: Any) -> bytes:
        copy = granted(key, **changes)
        with app.app_context():
            return typesetting.make_signed_pdf(order(copy, "320000", keys(), page))

    return on_paper


def pages(document: bytes) -> list[str]:
    """The text of every page, without blanks: a wrapped cell reads like an unwrapped one."""
    texts = [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(document)]
    return [re.sub(r"\s", "", text.replace("\ufffe", "-").replace("\x02", "-")) for text in texts]


def verdict(page: str) -> str:
    """The one large word of the public page."""
    (word,) = re.findall(r"<h1>(.*?)</h1>", page)
    return str(word)


def tight(text: str) -> str:
    """The same text as `pages` would read it."""
    return re.sub(r"\s", "", text)


def qr_code(document: bytes) -> str:
    """The content of the QR code on the last page."""
    opened = pypdfium2.PdfDocument(document)
    page = opened[len(opened) - 1]
    (code,) = zxingcpp.read_barcodes(page.render(scale=2).to_pil())
    return code.text


def rows(count: int, **more: str) -> list[dict[str, str]]:
    """Carrier rows as a snapshot holds them."""
    return [
        {"position": str(n), "specification": f"规格{n:04}号", "quantity": str(10_000 + n), "unit": "010-张"} | more
        for n in range(1, count + 1)
    ]


class TestPaper:
    def test_the_qr_code_on_the_paper_leads_to_a_page_that_says_valid(
        self, make_application: Any, paper: Any, as_: Any
    ) -> None:
        """PD1: decoded out of the rendered page and followed."""
        address = qr_code(paper(make_application(status="filed")))
        assert address.startswith("http://127.0.0.1:8000/verify/Z32")
        page = as_(None).get(address.removeprefix("http://127.0.0.1:8000"))
        assert (page.status_code, verdict(page.text)) == (200, "有效")
        assert "黑胶唱片《茉莉花》" in page.text

    def test_numbers_dates_and_every_carrier_row_can_be_read(
        self, make_application: Any, granted: Any, paper: Any
    ) -> None:
        """PD5: the whole granted content is on the paper."""
        key = make_application(status="filed", carriers=15, isbn="978-7-80000-000-1", sid_code="IFPI L123")
        certificate, text = granted(key), "".join(pages(paper(key)))
        snapshot = certificate.snapshot
        for name in ("applied_on", "expected_on"):
            year, month, day = snapshot.pop(name).split("-")
            assert f"{int(year)}年{int(month)}月{int(day)}日" in text
        for row in snapshot.pop("carriers"):
            assert (
                tight("".join(row[name] for name in ("position", "kind", "specification", "quantity", "unit"))) in text
            )
        assert not [name for name, value in snapshot.items() if tight(value) not in text]
        signed = f"签发机关{certificate.authority}签发人{certificate.signer}签发日期{dated(certificate.issued_on)}"
        assert f"证明编号：{certificate.number}" in text
        assert signed in text
        assert "电子印章演示用，无法律效力" in text

    @pytest.mark.parametrize("count", [0, 1, 15, 200])
    def test_any_number_of_rows_is_printed_whole(
        self, make_application: Any, granted: Any, paper: Any, count: int
    ) -> None:
        """PD6, PD8: as many rows as were granted, the heading on every page, n of m and the number at every foot."""
        key = make_application(status="filed")
        number, printed_pages = granted(key).number, pages(paper(key, carriers=rows(count)))
        positions = [int(n) for text in printed_pages for n in re.findall(r"规格(\d{4})号", text)]
        assert positions == list(range(1, count + 1))
        for n, text in enumerate(printed_pages, start=1):
            assert "序号规格型号进口数量单位" in text
            assert f"第{n}页共{len(printed_pages)}页" in text
            assert f"证明编号{number}" in text
        assert f"共{count}条" in printed_pages[-1]

    def test_a_row_is_never_split_between_pages(self, make_application: Any, paper: Any) -> None:
        """PD6: each long row is on one page, from its first character to its last."""
        carriers = [row | {"specification": f"始{n}{'长' * 240}终{n}"} for n, row in enumerate(rows(12))]
        printed_pages = pages(paper(make_application(status="filed"), carriers=carriers))
        assert len(printed_pages) > 1
        for row in carriers:
            assert sum(row["specification"] in text for text in printed_pages) == 1

    def test_the_seal_never_stands_alone_on_a_page(self, make_application: Any, paper: Any) -> None:
        """PD6: for any number of rows, the last one is on the page with the seal."""
        key = make_application(status="filed")
        for count in range(1, 9):
            last = pages(paper(key, carriers=rows(count)))[-1]
            assert "电子印章" in last
            assert f"规格{count:04}号" in last

    @pytest.mark.parametrize("title", ["长" * 300, "W" * 300], ids=["300 characters", "a Latin run without spaces"])
    def test_long_words_stay_within_the_margins(self, make_application: Any, paper: Any, title: str) -> None:
        """PD6: nothing is cut off, nothing runs over the edge."""
        document = paper(make_application(status="filed", title=title, copyright_owner=title[:200]))
        assert title in "".join(pages(document))
        for sheet in pypdfium2.PdfDocument(document):
            text = sheet.get_textpage()
            boxes = [text.get_charbox(n) for n in range(text.count_chars())]
            printed_boxes = [(left, right) for left, _, right, _ in boxes if right > left]
            assert min(left for left, _ in printed_boxes) > 25.9 * MILLIMETRE
            assert max(right for _, right in printed_boxes) < 188.1 * MILLIMETRE

    def test_an_empty_field_is_a_dash_and_an_unused_column_is_left_out(self, make_application: Any, paper: Any) -> None:
        """PD6: no blank is left that could be written into."""
        key = make_application(status="filed", isbn=None, isrc=None, sid_code=None, trade_mode=None)
        text = "".join(pages(paper(key)))
        assert all(f"{label}—" in text for label in ("ISBN", "ISRC", "SID码", "监管方式"))
        assert "None" not in text
        assert "备注" not in text
        mixed = [rows(1, note="含册")[0], rows(2)[1]]
        assert "备注1规格0001号10001010-张含册2规格0002号10002010-张—合计" in "".join(pages(paper(key, carriers=mixed)))

    def test_quantities_are_summed_exactly_for_each_unit(self, app: Flask) -> None:
        """CU9: 0.1 + 0.2 is 0.3; pieces and boxes are never added up."""
        carriers = [
            {"unit": unit, "quantity": n} for unit, n in (("020-片", "0.1"), ("140-盒", "3"), ("020-片", "0.2"))
        ]
        with app.app_context():
            assert total_of(carriers) == "共 3 条；0.3 片；3 盒"
            assert total_of([{"unit": "010-张", "quantity": "9999999999999999999.5"}] * 2).endswith(
                "；19,999,999,999,999,999,999 张"
            )

    def test_scripts_in_every_field_are_only_text(self, make_application: Any, paper: Any, as_: Any) -> None:
        """AC6: printed letter by letter; the PDF and the public page run nothing."""
        key = make_application(status="filed", **dict.fromkeys(TEXTS, SCRIPT))
        fields = ("kind", "specification", "name", "catalogue_number", "unit_price", "currency", "note")
        document = paper(key, carriers=rows(1, **dict.fromkeys(fields, SCRIPT)))
        assert "".join(pages(document)).count(SCRIPT) == len(TEXTS) + len(fields)
        with pikepdf.open(BytesIO(document)) as opened:
            assert not [item for item in opened.objects if "/JS" in repr(item) or "/JavaScript" in repr(item)]
        page = as_(None).get(qr_code(document).removeprefix("http://127.0.0.1:8000")).text
        assert SCRIPT not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page

    def test_rare_characters_are_printed_and_every_font_is_embedded(self, make_application: Any, paper: Any) -> None:
        """GB 18030-2022: names with 𠮷 and 䶮 print, and can be searched and copied."""
        document = paper(make_application(status="filed", title="𠮷祥䶮声", copyright_owner="㛃𬀩"))
        text = "".join(pages(document))
        assert "𠮷祥䶮声" in text
        assert "㛃𬀩" in text
        with pikepdf.open(BytesIO(document)) as opened:
            described = [
                item for item in opened.objects if isinstance(item, pikepdf.Dictionary) and "/FontName" in item
            ]
            assert described
            assert all({"/FontFile", "/FontFile2", "/FontFile3"} & set(item.keys()) for item in described)

    def test_the_document_has_its_metadata(self, make_application: Any, granted: Any, paper: Any) -> None:
        """Title, issuing authority and language."""
        key = make_application(status="filed")
        with pikepdf.open(BytesIO(paper(key))) as opened:
            assert str(opened.docinfo["/Title"]) == f"赴境外加工光盘进口备案证明 {granted(key).number}"
            assert str(opened.docinfo["/Author"]) == "江苏省新闻出版局"
            assert str(opened.Root.Lang) == "zh-CN"


class TestFence:
    @pytest.fixture
    def visited(self) -> Iterator[tuple[str, list[str]]]:
        """A server on this machine, and the paths requested from it."""
        asked: list[str] = []

        class Recorder(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_words: Any) -> None:
                """Silent."""

        server = HTTPServer(("127.0.0.1", 0), Recorder)
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        server.server_close()

    def test_typesetting_fetches_nothing_from_network_or_disk(
        self, visited: tuple[str, list[str]], tmp_path: Path, app: Flask
    ) -> None:
        """AC6: even if the template refers to them."""
        address, asked = visited
        secret = tmp_path / "secret.txt"
        secret.write_text("TOPSECRET")
        html = (
            f'<link rel="stylesheet" href="{address}/style.css"><link rel="attachment" href="{secret.as_uri()}">'
            f'<img src="{address}/image.png"><img src="{secret.as_uri()}"><style>@import "{address}/more.css";'
            f'@font-face {{ font-family: x; src: url("{address}/font.woff") }} p {{ font-family: x }}</style>'
            '<p>正文<div id="seal"></div>'
        )
        with app.app_context():
            document, _page, _box = typesetting.render_pdf(Order(html, "{}", date(2026, 11, 24), keys(), "320000"))
        assert asked == []
        with pikepdf.open(BytesIO(document)) as opened:
            assert list(opened.attachments) == ["snapshot.json"]
        assert pages(document) == ["正文"]
        urlopen(f"{address}/seen").close()
        assert asked == ["/seen"]

    def test_addresses_in_a_field_are_only_text(
        self, visited: tuple[str, list[str]], make_application: Any, paper: Any
    ) -> None:
        """AC6: <img src=…> and file:// in a title are printed, not followed."""
        address, asked = visited
        title = f'"><img src={address}/x.png><link rel=attachment href=file:///etc/passwd>'
        document = paper(make_application(status="filed", title=title))
        assert tight(title) in "".join(pages(document))
        assert asked == []
        with pikepdf.open(BytesIO(document)) as opened:
            assert list(opened.attachments) == ["snapshot.json"]

    def test_start_up_does_not_load_weasyprint(self) -> None:
        """PD9: WeasyPrint is imported by the first print, not by the application."""
        look = "import sys, app; sys.exit('weasyprint' in sys.modules)"
        root = ROOT
        assert subprocess.run([sys.executable, "-c", look], cwd=root, check=False).returncode == 0
