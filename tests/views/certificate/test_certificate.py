"""The certificate as PDF, and the public page behind its QR code."""

import re
from io import BytesIO
from typing import Any

import pikepdf
import pypdfium2
import pytest
import zxingcpp
from flask import Flask

from models.certificate.display import dated, total_of
from tests.views.certificate.read_papers import pages, tight

SCRIPT = "<script>alert(1)</script>"
MILLIMETRE = 72 / 25.4
TEXTS = (
    "title", "catalogue_number", "isrc", "copyright_owner", "manufacturer", "sid_code", "contract_number",
    "consignee", "trade_mode",
)  # fmt: skip


def verdict(page: str) -> str:
    """The one large word of the public page."""
    (word,) = re.findall(r"<h1>(.*?)</h1>", page)
    return str(word)


def qr_code(document: bytes) -> str:
    """The content of the QR code on the last page."""
    opened = pypdfium2.PdfDocument(document)
    page = opened[len(opened) - 1]
    (code,) = zxingcpp.read_barcodes(page.render(scale=2).to_pil())
    return code.text


def rows(count: int, **more: str) -> list[dict[str, str]]:
    """Carrier rows as in a snapshot."""
    return [
        {"position": str(n), "specification": f"规格{n:04}号", "quantity": str(10_000 + n), "unit": "010-张"} | more
        for n in range(1, count + 1)
    ]


class TestPaper:
    def test_the_qr_code_on_the_paper_leads_to_a_page_that_says_valid(
        self, make_application: Any, paper: Any, client_as: Any
    ) -> None:
        """PD1: decoded out of the rendered page and followed."""
        address = qr_code(paper(make_application(status="filed")))
        assert address.startswith("http://127.0.0.1:8000/verify/Z32")
        page = client_as(None).get(address.removeprefix("http://127.0.0.1:8000"))
        assert (page.status_code, verdict(page.text)) == (200, "有效")
        assert "黑胶唱片《茉莉花》" in page.text

    def test_numbers_dates_and_every_carrier_row_can_be_read(
        self, make_application: Any, copy_certificate: Any, paper: Any
    ) -> None:
        """PD5: the whole granted content is on the paper."""
        key = make_application(status="filed", carriers=15, isbn="978-7-80000-000-1", sid_code="IFPI L123")
        certificate, text = copy_certificate(key), "".join(pages(paper(key)))
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
        self, make_application: Any, copy_certificate: Any, paper: Any, count: int
    ) -> None:
        """PD6, PD8: as many rows as were granted, the heading on every page, n of m and the number at every foot."""
        key = make_application(status="filed")
        number, printed_pages = copy_certificate(key).number, pages(paper(key, carriers=rows(count)))
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
        """PD6: no text is cut off or runs over the edge."""
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

    def test_scripts_in_every_field_are_only_text(self, make_application: Any, paper: Any, client_as: Any) -> None:
        """AC6: printed as text; neither the PDF nor the public page runs it."""
        key = make_application(status="filed", **dict.fromkeys(TEXTS, SCRIPT))
        fields = ("kind", "specification", "name", "catalogue_number", "unit_price", "currency", "note")
        document = paper(key, carriers=rows(1, **dict.fromkeys(fields, SCRIPT)))
        assert "".join(pages(document)).count(SCRIPT) == len(TEXTS) + len(fields)
        with pikepdf.open(BytesIO(document)) as opened:
            assert not [item for item in opened.objects if "/JS" in repr(item) or "/JavaScript" in repr(item)]
        page = client_as(None).get(qr_code(document).removeprefix("http://127.0.0.1:8000")).text
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

    def test_the_document_has_its_metadata(self, make_application: Any, copy_certificate: Any, paper: Any) -> None:
        """Title, issuing authority and language."""
        key = make_application(status="filed")
        with pikepdf.open(BytesIO(paper(key))) as opened:
            assert str(opened.docinfo["/Title"]) == f"赴境外加工光盘进口备案证明 {copy_certificate(key).number}"
            assert str(opened.docinfo["/Author"]) == "江苏省新闻出版局"
            assert str(opened.Root.Lang) == "zh-CN"
