"""Positions of text on the pages of a certificate, without lone headings or rows."""

import re

import pypdfium2
import pytest
import segno
import zxingcpp
from PIL import Image, ImageChops

from models.certificate.fonts import STYLE
from tests.views.certificate.placed import seal_of
from tests.views.certificate.read_papers import pages
from tests.views.looks import MILLIMETRE, certificate, fonts, markup, page, pdf, printed

pytestmark = pytest.mark.usefixtures("context")


class TestPage:
    def test_the_page_has_the_margins_of_official_documents(self, correct_page: Image.Image) -> None:
        """GB/T 9704-2012, 5.2: 28 mm to bind, 37 mm above, an area 156 mm wide and 225 mm high; the foot below it."""
        left, top, right, bottom = (edge / MILLIMETRE for edge in ImageChops.invert(correct_page).getbbox() or ())
        assert (left, right) == pytest.approx((28, 184), abs=0.5)
        assert 37 <= top < 40
        assert 262 < bottom < 275

    def test_two_thousand_rows_are_printed_whole(self) -> None:
        """PD6: the largest consignment: every row once, in order, a head on every page, n of m at every foot."""
        texts = pages(pdf(certificate(2000)))
        assert [int(n) for text in texts for n in re.findall(r"第(\d+)卷", text)] == list(range(1, 2001))
        for n, text in enumerate(texts, start=1):
            assert "序号载体类型规格型号进口数量单位" in text
            assert f"第{n}页共{len(texts)}页" in text
        assert "共2,000条；3,000,000张" in texts[-1]

    def test_the_seal_overlaps_no_text(self) -> None:
        """42 × 42 mm on the last page, for any content."""
        for paper in (certificate(4), certificate(15, replaces="Z32202600000Y")):
            x, y, right, bottom = seal_of(markup(paper))
            assert (right - x, bottom - y) == pytest.approx((42, 42))
            document = pypdfium2.PdfDocument(pdf(paper))
            text = document[len(document) - 1].get_textpage()
            boxes = [text.get_charbox(n) for n in range(text.count_chars())]
            across = [
                box
                for box in ([edge * 25.4 / 72 for edge in found] for found in boxes)
                if box[0] < right
                and box[2] > x
                and 297 - box[3] < bottom
                and 297 - box[1] > y
                and not (box[0] > x and box[2] < right and 297 - box[3] > y and 297 - box[1] < bottom)
            ]
            assert not across

    def test_a_table_head_never_stands_without_a_row(self) -> None:
        """At every position of the list on the page."""
        for lines in (11, 12, 13):  # of which the first leaves room for two rows, the last for none
            paper = certificate(9, title="长" * 279, manufacturer="W" * 27 * lines)
            for text in pages(pdf(paper)):
                assert ("序号载体类型" in text) == bool(re.search(r"第\d+卷", text))

    def test_check_code_and_replaced_certificate_are_printed_if_present(self) -> None:
        """The check code is typed on the page of verification; 作废重发 names the replaced certificate."""
        paper = certificate(1, replaces="Z32202600000Y")
        (text,) = pages(pdf(paper))
        assert "校验码7K3M-Q9TD-42XW" in text
        assert "本证明替代已作废的证明Z32202600000Y。" in text
        plain = certificate(1)
        del plain.check_code
        (text,) = pages(pdf(plain))
        assert "校验码" not in text
        assert "替代" not in text

    def test_a_dense_code_can_be_read(self) -> None:
        """A signed payload in 34 mm: 89 modules a side, read at 150 dots an inch."""
        payload = "https://beian.example.gov.cn/verify/Z32202600001X?" + "A7fK-_" * 80
        code = segno.make_qr(payload, error="m")
        assert code.symbol_size(border=0) == (89, 89)
        sheet = pypdfium2.PdfDocument(printed(markup(certificate(1), code=code.svg_data_uri())))[0]
        (read,) = zxingcpp.read_barcodes(sheet.render(scale=150 / 72).to_pil())
        assert read.text == payload

    def test_rare_characters_are_set_in_the_fonts_of_the_style_sheet(self) -> None:
        """GB 18030-2022, level 3: characters of every block, U+9FEB among them, which Song and its kin lack."""
        rare = "䶮㛃\u9feb\u9fef\U0002a6d6\U0002b734𫍯\U0002b81d\U0002cea1\U0002ebe0"
        document = pdf(certificate(1, title=rare, consignee=rare))
        assert "".join(pages(document)).count(rare) == 2
        families = re.findall(r'"([^"]+)"', STYLE.read_text(encoding="utf-8"))
        for font in fonts(document).split("; "):
            assert font.replace("-", " ").startswith(tuple(families)), font

    def test_the_signer_is_printed_in_kai(self) -> None:
        """GB/T 9704-2012, 7.2.5; a rare character of the name falls back to Song."""
        paper = certificate(1)
        assert "LXGWWenKai" in fonts(pdf(paper)).replace("-", "").replace(" ", "")
        paper.signer = "陈\U0002a6d6"
        assert f"签发人{paper.signer}签发日期" in "".join(pages(pdf(paper)))

    def test_each_heading_has_its_scope(self) -> None:
        """For screen readers: the tags of the PDF are derived from it."""
        html = markup(certificate(1))
        assert '<html lang="zh-CN">' in html
        assert not re.findall(r"<th\b(?![^>]*\bscope=)[^>]*>", html)
        assert not re.findall(r"<img(?![^>]*\balt=.[^\"])[^>]*>", html)


class TestRoom:
    """Issue 9, 37: the content is distributed so that no page is almost empty."""

    @pytest.mark.parametrize("count", [1, 3, 14, 15])
    def test_few_rows_and_the_closing_section_are_on_one_page(self, count: int) -> None:
        assert len(pages(pdf(certificate(count)))) == 1

    @pytest.mark.parametrize("count", [16, 17, 24, 40, 41])
    def test_five_rows_move_with_the_closing_section(self, count: int) -> None:
        texts = pages(pdf(certificate(count)))
        assert len(texts) > 1
        assert len(re.findall(r"第\d+卷", texts[-1])) >= 5

    def test_long_fields_leave_no_page_half_empty(self) -> None:
        """Every field as long as it can be: the first page is filled to its foot, the others half and more."""
        long = {"title": "题" * 300, "copyright_owner": "权" * 200, "manufacturer": "厂" * 200, "consignee": "收" * 200}
        for fields in ({"title": "题" * 300}, {"copyright_owner": "权" * 200}, long):
            document = pdf(certificate(16, **fields))
            ends = [bottom_of(document, n) for n in range(len(pages(document)) - 1)]
            assert ends[0] > 37 + 225 * 0.8, fields
            assert min(ends) > 37 + 225 * 0.5, fields

    def test_a_row_taller_than_a_page_repeats_the_head_and_the_closing_section_is_not_alone(self) -> None:
        """The head is on every page of the row, and the row begins where the previous one ends."""
        row = {"kind": "黑胶唱片", "quantity": "1", "unit": "010-张"}
        for long, count in (("规" * 4000, 2), ("规" * 4000, 1), ("规" * 255, 3)):
            carriers = [row | {"position": str(n), "specification": f"第 {n} 卷{long}"} for n in range(1, count + 1)]
            if len(long) == 255:  # as long as a field can be, in the narrowest columns
                more = {"name": "名", "catalogue_number": "1", "unit_price": "1", "currency": "USD", "note": "注" * 200}
                carriers = [row | more for row in carriers]
            texts = pages(pdf(certificate(0, carriers=carriers)))
            assert "第1卷" in texts[0]
            assert all("序号载体类型规格型号" in text for text in texts)
            assert f"共{count}条" in texts[-1]

    def test_every_optional_field_left_out_is_a_dash(self) -> None:
        left_out = dict.fromkeys(
            ("catalogue_number", "isbn", "isrc", "sid_code", "hs_code", "trade_mode", "expected_on")
        )
        (text,) = pages(pdf(certificate(1, **left_out)))
        assert text.count("—") - "《茉莉花——江苏民歌选》".count("—") == len(left_out)


def bottom_of(document: bytes, n: int) -> float:
    """Lower end of the content above the page's foot, in millimetres from the upper edge."""
    sheet = ImageChops.invert(page(document, n)).crop((0, 0, 840, int(262 * MILLIMETRE)))
    return (sheet.getbbox() or (0, 0, 0, 0))[3] / MILLIMETRE
