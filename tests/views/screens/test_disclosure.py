"""Data before the first 申报 is visible to its owner only; a submission uses the names of that day."""

import html
import io
import re
from weakref import WeakSet

import pytest
from flask import Flask
from sqlalchemy import event, select

from models.acts import drafts
from models.application import Application, disclosure, trail
from models.application.trail import TrailEntry
from models.database import db
from models.people.accounts import Organisation
from models.vocabulary import Action
from tests.browsing import Browser, ClientAs
from tests.conftest import ActAs, MakeApplication, MakePdf, StoredRows
from tests.views.conftest import AdvanceClock
from tests.views.ledger import ledger
from tests.views.pages import form_of


def swapped(browser: Browser, key: int, file: int, content: bytes) -> None:
    """A file takes another's place."""
    sent = {"id": key, "kind": "contract", "replaces": file, "file": (io.BytesIO(content), "新合同.pdf")}
    assert browser.post("/applications/upload/", data=sent).status_code == 200


@pytest.mark.slow
def test_a_file_removed_before_the_first_submission_is_hidden_from_the_province(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows, make_pdf: MakePdf
) -> None:
    """Design 2.4: the province reads the submitted files, and those of an earlier decision; never drafts."""
    key, publisher = make_application(title="草稿时的名称"), client_as("publisher")
    contract = next(file["id"] for file in stored_rows(key)["attachment"] if file["kind"] == "contract")
    swapped(publisher, key, contract, make_pdf("2"))
    form = form_of(publisher.get(f"/applications/edit/?id={key}").text)
    publisher.post(f"/applications/edit/?id={key}", data=form | {"title": "申报的名称", "_submit": "1"})
    reviewer = client_as("reviewer")
    page = reviewer.get(f"/review/details/?id={key}").text
    assert "申报的名称" in page
    assert not any(words in page for words in ("草稿时的名称", "新建", "上传附件", "移除附件"))
    assert reviewer.get(f"/review/attachment/?id={contract}").status_code == 404
    assert publisher.get(f"/applications/attachment/?id={contract}").status_code == 200
    assert "上传附件" in publisher.get(f"/applications/details/?id={key}").text


@pytest.mark.slow
def test_a_submitted_file_stays_readable_after_its_replacement(
    client_as: ClientAs,
    make_application: MakeApplication,
    stored_rows: StoredRows,
    make_pdf: MakePdf,
    advance_clock: AdvanceClock,
) -> None:
    """A decision was based on it: the province can still open it, and sees later changes."""
    key = make_application(status="returned")
    contract = next(file["id"] for file in stored_rows(key)["attachment"] if file["kind"] == "contract")
    advance_clock()
    publisher, reviewer = client_as("publisher"), client_as("reviewer")
    swapped(publisher, key, contract, make_pdf("2"))
    publisher.post("/applications/submit/", data={"id": key})
    assert "新合同.pdf" in reviewer.get(f"/review/details/?id={key}").text
    assert reviewer.get(f"/review/attachment/?id={contract}").status_code == 200


@pytest.mark.slow
def test_a_submission_uses_the_names_registered_on_that_day(
    client_as: ClientAs, act_as: ActAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """The operator corrects a publisher's province and name: its draft goes to the new desk, and says so."""
    draft, declared = make_application(), make_application(status="returned")
    with act_as("operator"):
        organisation = db.session.scalars(select(Organisation).where(Organisation.name == "江苏文艺音像出版社")).one()
        organisation.name, organisation.province = "岭南音像出版社", "440000"
        db.session.commit()
    publisher = client_as("publisher")
    page = publisher.get(f"/applications/edit/?id={draft}").text
    assert form_of(page)["title"]
    assert 'id="auto-applicant_name" value="江苏文艺音像出版社"' in page  # what is stored, until it is declared
    for key in (draft, declared):
        assert publisher.post("/applications/submit/", data={"id": key}).status_code == 303
    (now,), (before,) = stored_rows(draft)["application"], stored_rows(declared)["application"]
    assert [now[name] for name in ("applicant_name", "publisher_name", "province", "authority")] == [
        "岭南音像出版社", "岭南音像出版社", "440000", "广东省新闻出版局",
    ]  # fmt: skip
    assert (before["publisher_name"], before["province"]) == ("江苏文艺音像出版社", "320000")
    assert (
        "出版单位：“江苏文艺音像出版社” → “岭南音像出版社”"
        in client_as("reviewer2").get(f"/review/details/?id={draft}").text
    )


def test_a_refused_file_on_a_blank_form_starts_no_draft(app: Flask, client_as: ClientAs) -> None:
    """The file is checked before a number is assigned: no other 保存 waits for it, and no empty draft remains."""
    before = ledger(app)
    sent = {"id": "", "kind": "contract", "file": (io.BytesIO(b"MZ" * 1000), "合同.pdf")}
    assert client_as("publisher").post("/applications/upload/", data=sent).status_code == 422
    assert ledger(app) == before


@pytest.mark.slow
def test_the_history_shows_each_changed_carrier_row(client_as: ClientAs, make_application: MakeApplication) -> None:
    """A reviewer of a correction sees what to look at."""
    key, publisher = make_application(status="returned", carriers=4), client_as("publisher")
    form = form_of(publisher.get(f"/applications/edit/?id={key}").text)
    form |= {"carriers-0-quantity": "2500", "del-carriers-2": "on"}
    form |= {f"carriers-4-{name}": "" for name in ("id", "kind", "name", "catalogue_number", "unit_price", "currency")}
    form |= {"carriers-4-specification": "7 英寸", "carriers-4-quantity": "9", "carriers-4-unit": "张"}
    assert publisher.post(f"/applications/edit/?id={key}", data=form | {"_submit": "1"}).status_code == 302
    page = client_as("reviewer").get(f"/review/details/?id={key}").text
    for line in (
        "第 1 条 进口数量：“1000” → “2500”",
        "删除原第 3 条：“黑胶唱片” “12 英寸黑胶唱片” “1002” “010-张”",
        "新增第 4 条：“7 英寸” “9” “010-张”",
    ):
        assert line in page


def test_too_many_carrier_rows_are_refused_unread(
    app: Flask, client_as: ClientAs, make_application: MakeApplication
) -> None:
    """A form of 3,001 rows is a sentence, not minutes of work."""
    key, browser = make_application(), client_as("publisher")
    before = ledger(app)
    answer = browser.post(f"/applications/edit/?id={key}", data={f"carriers-{n}-note": "x" for n in range(3001)})
    assert (answer.status_code, "一份申请最多录入 3000 条载体信息" in answer.text) == (409, True)
    assert ledger(app) == before


@pytest.mark.slow
def test_a_page_reads_a_bounded_part_of_a_long_history(
    app: Flask, client_as: ClientAs, make_application: MakeApplication, act_as: ActAs
) -> None:
    """The newest entries, and a way to the older ones and back: a case that was edited 200 times opens like any."""
    key = make_application(title="第 0 稿")
    with act_as("publisher") as filer:
        for n in range(1, 2 * disclosure.NEWEST + 21):
            application = db.session.get_one(Application, key)
            with drafts.revising(db.session(), application, application.version, filer):
                application.title = f"第 {n} 稿"
            db.session.commit()
    loaded: list[int] = []
    publisher = client_as("publisher")

    def count(entry: TrailEntry, _context: object) -> None:
        loaded.append(entry.id)

    event.listen(TrailEntry, "load", count)
    pages, address = [], f"/applications/edit/?id={key}"
    while address:
        loaded.clear()
        pages.append(publisher.get(address).text)
        assert 0 < len(loaded) <= disclosure.NEWEST + 1
        older = re.search(r'href="([^"]+)#trail">查看更早的办理过程', pages[-1])
        address = html.unescape(older[1]) if older else ""
    event.remove(TrailEntry, "load", count)
    newest, middle, oldest = pages
    assert "“第 119 稿” → “第 120 稿”" in newest and "“第 70 稿” → “第 71 稿”" in newest
    assert "“第 69 稿” → “第 70 稿”" in middle and "“第 20 稿” → “第 21 稿”" in middle
    assert "→ “第 20 稿”" in oldest and "<strong>新建" in oldest
    assert "“第 20 稿” → “第 70 稿”" not in middle, "the sitting began with another title, which was not read"
    assert "返回最新的办理过程" in middle and "返回最新的办理过程" not in newest


def test_a_page_of_older_entries_still_tells_of_the_newest_state(
    client_as: ClientAs, make_application: MakeApplication, stored_rows: StoredRows
) -> None:
    """办理进度, the open 退回意见 and what 保存 compares with are not those of the entries that it lists."""
    key, publisher = make_application(status="returned"), client_as("publisher")
    newest, older = (publisher.get(f"/applications/edit/?id={key}{more}").text for more in ("", "&history=2"))
    entries = stored_rows(key)["trail_entry"]
    assert form_of(newest)["last_entry"] == form_of(older)["last_entry"] == str(entries[-1]["id"])
    steps, opinion = re.compile(r'<ol class="steps".*?</ol>', re.S), entries[-1]["opinion"]
    assert steps.findall(newest) == steps.findall(older)
    assert (newest.count(opinion), older.count(opinion)) == (2, 1)


def test_pages_of_the_history_keep_the_list_and_the_place_in_it(
    client_as: ClientAs, make_application: MakeApplication
) -> None:
    """返回列表, 上一件 and 下一件 lead where they led before."""
    key = make_application(status="returned")
    page = client_as("reviewer").get(f"/filings/details/?id={key}&url=/filings/?title=x&due=2026-12-01&history=2").text
    link = re.search(r'href="([^"]+)#trail">返回最新的办理过程', page)
    assert link and "url=/filings/?title%3Dx&due=2026-12-01" in html.unescape(link[1])


@pytest.mark.parametrize("place", ["all", "-1", "9" * 19, "٣", "0"])
def test_any_other_beginning_of_the_history_is_a_page(
    client_as: ClientAs, make_application: MakeApplication, place: str
) -> None:
    """`all` was an address until 0.4.0."""
    answer = client_as("publisher").get(f"/applications/details/?id={make_application()}&history={place}")
    assert answer.status_code == 200 and ("<strong>新建" in answer.text) == (place != "0")


def test_entries_with_many_carriers_are_fewer_on_a_page(
    client_as: ClientAs, make_application: MakeApplication, act_as: ActAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory and time follow the changed carriers, of which each save can have thousands."""
    monkeypatch.setattr(disclosure, "MOST_ROWS", 30)
    key = make_application(carriers=10)
    with act_as("publisher") as filer:
        for n in range(3):
            application = db.session.get_one(Application, key)
            with drafts.revising(db.session(), application, application.version, filer):
                for carrier in application.carriers:
                    carrier.specification = f"第 {n} 版"
            db.session.commit()
    publisher, address, shown = client_as("publisher"), f"/applications/details/?id={key}", []
    while address:
        page = publisher.get(address).text
        shown.append([n for n in range(3) if f"“第 {n} 版”" in page])
        older = re.search(r'href="([^"]+)#trail">查看更早的办理过程', page)
        address = html.unescape(older[1].replace("/edit/", "/details/")) if older else ""
    assert shown == [[1, 2], [0, 1], [0]], "before and after of one save on each page"


def test_a_whole_history_is_read_in_small_batches(make_application: MakeApplication, act_as: ActAs) -> None:
    """Programs read every entry of it: 1,000 saves of 3,000 carriers would be gigabytes at once."""
    key, alive, most = make_application(), WeakSet[TrailEntry](), 0
    with act_as("publisher") as filer:
        application = db.session.get_one(Application, key)
        for n in range(5 * disclosure.BATCH):
            trail.record(db.session(), application, Action.EDIT, filer, application.status, changes={"title": [n, n]})
        db.session.commit()
    with act_as("publisher") as filer:
        application = db.session.get_one(Application, key)
        for entry, _is_read in disclosure.history(db.session(), application, filer):
            alive.add(entry)
            most = max(most, len(alive))
    assert 0 < most <= 2 * disclosure.BATCH
