"""查询: the question above the list, the order and pages of its answer, and who finds what in which list."""

import re
from collections.abc import Callable
from datetime import datetime

import pytest

from models import clock
from tests.browsing import ClientAs
from tests.conftest import MakeApplication
from tests.views.pages import flashed, numbers, result
from tests.views.panel.found_rows import NOW, found


@pytest.mark.slow
def test_the_three_filters_of_the_manual_combine(
    client_as: ClientAs, make_application: MakeApplication, set_clock: Callable[[datetime], None]
) -> None:
    """手册 第二章: 商品名称、数据状态和申请起止日期; both days count, and all of one's own is shown by default."""
    rows = [
        ("黑胶唱片《茉莉花》", "pending", 1), ("黑胶唱片《紫竹调》", "pending", 3), ("黑胶唱片《茉莉花》", "filed", 3),
        ("黑胶唱片《茉莉花》", "draft", 5),
    ]  # fmt: skip
    for title, status, day in rows:
        set_clock(NOW.replace(day=day))
        make_application(status=status, title=title)
    set_clock(NOW)
    one, two, three, four = (f"SQ2026{n:08d}" for n in range(1, 5))
    browser = client_as("publisher")
    assert found(browser) == [four, three, two, one]
    assert found(browser, title="茉莉花") == [four, three, one]
    assert found(browser, status="pending") == [two, one]
    assert found(browser, since="2026-11-01", until="2026-11-03") == [three, two, one]
    for asked in ("2026-11-02", "2026/11/2", " ２０２６－１１－０２\u200b", "20261102", "2026年11月2日"):
        assert found(browser, since=asked) == [three, two]
    assert found(browser, until="2026-11-02") == [one]
    assert found(browser, title="茉莉", status="filed", since="2026-11-03", until="2026-11-03") == [three]
    assert found(browser, title="茉莉", status="filed", until="2026-11-02") == []
    assert found(browser, title="", status="", since="", until="") == [four, three, two, one]
    assert found(browser, since="2026-11-03", until="2026-11-01") == []


@pytest.mark.slow
def test_a_name_is_found_in_any_width_and_case_and_wildcards_are_literal(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    for title in ("ＤＶＤ光盘 Ｖol.1", "dvd光盘 100%", "DVD_光盘", "a\\b[c]*?"):
        make_application(title=title)
    browser = client_as("publisher")
    order = [f"SQ{clock.today().year}{n:08d}" for n in range(1, 5)]
    for asked, wanted in {
        "dvd": order[:3], "ＤＶｄ": order[:3], "VOL.１": order[:1], "100%": order[1:2], "%": order[1:2],
        "_": order[2:3], "\\": order[3:], "[c]": order[3:], "*?": order[3:], " dvd ": order[:3], "没有": [],
    }.items():  # fmt: skip
        assert found(browser, title=asked) == wanted[::-1], asked


def test_an_invalid_query_finds_no_rows_and_shows_why(client_as: ClientAs, make_application: MakeApplication) -> None:
    """Rather than everything, which would look like an answer."""
    make_application()
    browser = client_as("publisher")
    format_, range_ = "请按 2026-01-31 的格式填写日期。", "请填写 1900-01-01 至 2199-12-31 之间的日期。"
    for asked, sentence in (
        ({"since": "2026-02-30"}, "没有这一天，请核对后按 2026-01-31 的格式填写日期。"),
        ({"until": "明天"}, format_),
        ({"since": "23/11/2026"}, format_),
        ({"since": "0001-12-22"}, range_),
        ({"until": "9999-12-31"}, range_),
    ):
        page = browser.get("/applications/", query_string=asked).text
        assert numbers(page) == []
        assert re.search(rf'<em role="alert" id="since-error">{sentence}</em>', page)
        assert 'aria-describedby="since-error"' in page
        assert [word for word in ("没有符合条件", "共 0 条", "导出", "model-list") if word in page] == []
        assert next(iter(asked.values())) in page
    for asked in ({"status": "issued"}, {"title": "长" * 101}):
        page = browser.get("/applications/", query_string=asked).text
        assert numbers(page) == []
        assert '<em role="alert"' in page
    assert "暂无数据。" in client_as("publisher2").get("/applications/").text


@pytest.mark.slow
def test_an_application_deleted_by_its_owner_is_hidden_from_the_owner_and_marked_for_the_province(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    """Design 2.3: its row is not erased."""
    key = make_application(status="refused")
    publisher, reviewer = client_as("publisher"), client_as("reviewer")
    publisher.post("/applications/delete/", data={"id": key})
    page = publisher.get("/applications/").text
    assert numbers(page) == []
    assert flashed(page) == ["已删除"]
    assert result(page)[0] == f"SQ{clock.today().year}00000001 不再显示在列表中，申请单号不再使用。"
    assert publisher.get(f"/applications/details/?id={key}").status_code == 404
    for page in (reviewer.get("/filings/").text, reviewer.get(f"/filings/details/?id={key}").text):
        assert "申请人已删除" in page
    draft = make_application()
    publisher.post("/applications/delete/", data={"id": draft})
    assert len(found(reviewer, "filings")) == 1


def test_a_publisher_finds_its_own_application_by_the_certificate_number(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    make_application()
    make_application(status="filed")
    year = clock.today().year
    (certificate,) = re.findall(rf"Z32{year}\d{{8}}", client_as("national").get("/register/").text)
    publisher = client_as("publisher")
    assert found(publisher, "applications", certificate=f" {certificate.lower()}") == [f"SQ{year}00000002"]
    assert found(publisher, "applications", certificate=certificate[:-1]) == []
    assert found(client_as("publisher2"), "applications", certificate=certificate) == []


@pytest.mark.slow
def test_the_nation_finds_by_province_and_by_exact_certificate_number(
    client_as: ClientAs, make_application: MakeApplication, make_publisher: Callable[..., str]
) -> None:
    """手册 第三篇: 国家新闻出版署对各省级签发的进口备案证明的查询."""
    make_publisher("440000")
    make_application(status="filed")
    make_application(by="publisher440000", status="filed")
    year, national = clock.today().year, client_as("national")
    jiangsu, canton = f"SQ{year}00000001", f"SQ{year}00000002"
    assert found(national, "register") == [canton, jiangsu]
    assert found(national, "register", province="440000") == [canton]
    assert found(national, "register", publisher="江苏文艺") == [jiangsu]
    page = national.get("/register/?province=440000").text
    (certificate,) = re.findall(rf"Z44{year}\d{{8}}", page)
    for spelled in (f" {certificate.lower()} ", f"{certificate[:7]}-{certificate[7:]}", certificate.replace("0", "O")):
        assert found(national, "register", certificate=spelled) == [canton]
    assert found(national, "register", certificate=certificate[:-1]) == []
    assert found(national, "register", certificate="%") == []
    assert found(client_as("reviewer"), "filings", publisher="江苏") == [jiangsu]
    assert found(client_as("reviewer2"), "filings") == [canton]


@pytest.mark.slow
def test_a_province_sees_its_own_customs_messages(
    client_as: ClientAs, make_application: MakeApplication, make_publisher: Callable[..., str]
) -> None:
    make_publisher("440000")
    make_application(status="customs_failed")
    make_application(by="publisher440000", status="revoked")
    for username, count in (("reviewer", 1), ("reviewer2", 2)):
        page = client_as(username).get("/exchange/").text
        assert f"共 {count} 条" in page
        assert page.count('<td class="col-message_id"') == count
    assert "接收失败" in client_as("reviewer").get("/exchange/").text


@pytest.mark.parametrize("target", ["http:/evil.example", "//evil.example", "https://evil.example/", "javascript:1"])
def test_the_back_link_never_leads_to_another_site(
    target: str, client_as: ClientAs, make_application: MakeApplication
) -> None:
    """AD13, for 返回列表: some addresses that Flask-Admin accepts lead a browser elsewhere."""
    key = make_application(status="pending")
    page = client_as("publisher").get("/applications/details/", query_string={"id": key, "url": target}).text
    assert target not in page
    assert 'href="/applications/">返回列表</a>' in page


@pytest.mark.slow
def test_a_title_is_found_with_invisible_characters_in_it(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    """Text copied from web pages is full of them; the words asked may have them too."""
    make_application(title="探戈\u200b精选")
    make_application(title="葛\U000e0100城")
    browser = client_as("publisher")
    first, second = (f"SQ{clock.today().year}{n:08d}" for n in (1, 2))
    for asked, wanted in {
        "探戈精选": first,
        "探\ufeff戈精选\u00a0": first,
        "戈\u200d精": first,
        "葛城": second,
    }.items():
        assert found(browser, title=asked) == [wanted], asked
    assert found(browser, title="\u200b\u3164") == [second, first]


def test_a_date_range_that_ends_before_it_begins_has_an_error(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    make_application(status="pending")
    page = client_as("reviewer").get("/filings/?since=2027-01-01&until=2026-01-01").text
    assert "起始日期晚于终止日期，请核对。" in page
    assert "没有符合条件" not in page
    assert "SQ20" not in page


@pytest.mark.slow
def test_a_printed_page_says_which_rows_of_the_list_it_has(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    """Paper has no pager. A list of one page needs no such line."""
    for _time in range(12):
        make_application()
    browser = client_as("publisher")
    part = re.compile(r'<p class="printed-part">(.*?)</p>')
    assert part.findall(browser.get("/applications/?page_size=10").text) == ["本页为第 1 至 10 条，全部共 12 条。"]
    assert part.findall(browser.get("/applications/?page_size=10&page=1").text) == [
        "本页为第 11 至 12 条，全部共 12 条。"
    ]
    assert part.findall(browser.get("/applications/").text) == []
