"""Applications by the interface: whose rows each role reads, what of them, and how a list is asked for and paged."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models import access
from models.application import Application
from models.columns import displayed
from models.database import db
from models.vocabulary import Status
from tests.browsing import ClientAs
from tests.conftest import ActAs, MakeApplication
from tests.views.api.reading import LIST, Program, program, token_of

# Who filed it, and how far it has come; who reads it by the interface. By hand, from design 2.4.
ROWS = """
                     publisher publisher2 agent reviewer reviewer2 national
publisher  draft     yes       -          -     -        -         -
publisher  pending   yes       -          -     yes      -         -
publisher  returned  yes       -          -     yes      -         -
publisher  refused   yes       -          -     yes      -         -
publisher  filed     yes       -          -     yes      -         yes
publisher  revoked   yes       -          -     yes      -         yes
publisher2 pending   -         yes        -     yes      -         -
agent      draft     -         -          yes   -        -         -
agent      filed     -         -          yes   yes      -         yes
pub44      draft     -         -          -     -        -         -
pub44      pending   -         -          -     -        yes       -
pub44      filed     -         -          -     -        yes       yes
"""


def number_of(app: Flask, key: int) -> str:
    with app.app_context(), access.everything() as session:
        return str(session.get_one(Application, key).number)


@pytest.mark.slow
def test_each_role_reads_what_it_sees_on_its_screens_and_no_other_row(
    app: Flask, make_application: MakeApplication, make_publisher: Callable[..., str]
) -> None:
    """List, one by one, HEAD; a row of others and one that does not exist are answered alike."""
    make_publisher("440000")
    head, *lines = (line.split() for line in ROWS.strip().splitlines())
    keys = [make_application(by=by.replace("pub44", "publisher440000"), status=status) for by, status, *_cells in lines]
    numbers = [number_of(app, key) for key in keys]
    for column, who in enumerate(head):
        reads = program(app, who)
        visible = {number for number, (_b, _s, *cells) in zip(numbers, lines, strict=True) if cells[column] == "yes"}
        assert {item["number"] for item in reads.items("?limit=200")} == visible, who
        for number, (by, status, *_cells) in zip(numbers, lines, strict=True):
            answers = [reads.get(f"{LIST}/{number}", method) for method in ("GET", "HEAD")]
            assert [answer.status_code for answer in answers] == [200 if number in visible else 404] * 2, (who, by)
            found = {item["number"] for item in reads.items(f"?number={number}")}
            assert found == {number} & visible, (who, by, status)
        absent, foreign = (
            reads.get(f"{LIST}/{number}") for number in ("SQ209900000001", next(iter({*numbers} - visible)))
        )
        assert absent.data == foreign.data


def test_an_application_has_the_fields_of_its_page(
    app: Flask, make_application: MakeApplication, act_as: ActAs
) -> None:
    key = make_application(status="customs_received", carriers=2)
    found = program(app, "publisher").get(f"{LIST}/{number_of(app, key)}").get_json()
    with act_as("publisher"):
        row = db.session.get_one(Application, key)
        certificate = row.certificate
        assert certificate is not None
        assert found["certificate"] == {
            "number": certificate.number, "issued_on": str(certificate.issued_on), "valid_until": None,
            "authority": "江苏省新闻出版局", "signer": "陈静",
        }  # fmt: skip
        assert set(displayed(Application)) <= found.keys()
        assert (found["title"], found["applied_on"]) == (row.title, str(row.applied_on))
    assert found["status"] == {"code": "customs_received", "label": "海关接收成功"}
    assert found["country"] == {"code": "DEU", "label": "DEU-德国"}
    assert found["port"] == {"code": "2201", "label": "2201-浦东海关"} or found["port"]["label"].startswith("2201-")
    assert [(each["position"], Decimal(each["quantity"]), each["unit"]["code"]) for each in found["carriers"]] == [
        (1, 1000, "010"), (2, 1001, "010"),
    ]  # fmt: skip
    assert {each["kind"]["code"] for each in found["attachments"]} == {
        "application_form", "licence", "sample", "contract",
    }  # fmt: skip
    assert [entry["act"]["code"] for entry in found["trail"]][:2] == ["customs_accepted", "grant"]
    assert (found["replaces"], found["replaced_by"], found["deleted"]) == (None, None, False)
    assert found["submitted_at"].endswith("+08:00")


def test_the_trail_has_the_same_entries_as_the_page(
    app: Flask, make_application: MakeApplication, client_as: ClientAs
) -> None:
    """Only the owner sees entries before the first 申报; only the authorities see who had taken the case."""
    key = make_application(status="pending")
    number = number_of(app, key)
    client_as("reviewer").post("/review/take/", data={"id": key})

    def acts(who: str) -> list[str]:
        return [entry["act"]["code"] for entry in program(app, who).get(f"{LIST}/{number}").get_json()["trail"]]

    assert acts("reviewer") == ["take", "submit"]
    owners = acts("publisher")
    assert owners[0] == "submit"
    assert {"start", "attach"} <= {*owners}
    assert "take" not in owners


def test_a_deleted_application_is_hidden_from_its_owner_and_marked_for_the_province(
    app: Flask, make_application: MakeApplication, client_as: ClientAs
) -> None:
    key = make_application(status="refused")
    number = number_of(app, key)
    client_as("publisher").post("/applications/delete/", data={"id": key})
    assert program(app, "publisher").get(f"{LIST}/{number}").status_code == 404
    assert [item["deleted"] for item in program(app, "reviewer").items()] == [True]


def test_reading_does_not_count_as_opening_and_changes_nothing(
    app: Flask, make_application: MakeApplication, stored_rows: Any
) -> None:
    """Only a person who opens the case ends the time in which it may be withdrawn."""
    key = make_application(status="pending")
    before = stored_rows(key)
    assert program(app, "reviewer").get(f"{LIST}/{number_of(app, key)}").status_code == 200
    assert stored_rows(key) == before


def test_a_list_is_read_to_its_end_page_by_page(app: Flask, make_application: MakeApplication) -> None:
    """By number, and within dates; rows that come in between are in no page that was read before."""
    keys = [make_application(status="filed" if n % 2 else "pending", title=f"第 {n} 张") for n in range(7)]
    expected = [number_of(app, key) for key in reversed(keys)]
    reads = program(app, "publisher")
    for query in ("limit=3", "limit=3&since=2020-01-01", "limit=3&until=2199-12-31", "limit=1&title=张", "limit=7"):
        seen, address = list[str](), f"{LIST}?{query}"
        while address:
            answer = reads.get(address)
            page = answer.get_json()
            seen += [item["number"] for item in page["items"]]
            address = answer.headers.get("Link", "").partition(">")[0].removeprefix("<")
            assert bool(address) == bool(page["next"])
        assert seen == expected, query
    page = reads.get(f"{LIST}?limit=3").get_json()
    make_application(status="draft")
    rest = reads.items(f"?limit=200&cursor={page['next']}")
    assert [item["number"] for item in rest] == expected[3:]


NARROWED = {
    "title=茉莉": 2,
    "title=茉莉&status=filed": 1,
    "title=%20%E2%80%8B": 0,  # nothing that can be seen: not everything
    "title=%E2%80%AE茉莉": 0,
    "publisher=江苏文艺": 3,
    "publisher=广东": 0,
    "number=SQ": 3,
    "number=sq2": 3,
    "number=SQ1999": 0,
    "status=draft": 1,
    "status=refused": 0,
    "province=320000": 3,
    "province=440000": 0,
    "since=2020-01-01&until=2099-01-01": 2,
    "until=2020-01-01": 0,
    "issued_since=2020-01-01": 1,
    "issued_until=2020-01-01": 0,
    "certificate=Z0000": 0,
    "amount_since=1000": 3,
    "amount_since=1000.00001": 0,
    "amount_until=999.99999": 0,
    "amount_since=999&amount_until=1000&status=filed": 1,
}


def test_a_list_is_filtered_by_its_parameters(app: Flask, make_application: MakeApplication) -> None:
    for status, title in (("draft", "高山流水"), ("pending", "茉莉花"), ("filed", "《茉莉花》")):
        make_application(status=status, title=title)
    reads = program(app, "publisher")
    assert {query: len(reads.items(f"?{query}")) for query in NARROWED} == NARROWED


def test_a_certificate_is_found_by_its_number(app: Flask, make_application: MakeApplication) -> None:
    make_application(status="filed")
    reads = program(app, "national")
    (item,) = reads.items()
    assert reads.items(f"?certificate={item['certificate']['number']}") == [item]


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("stauts=filed", "参数 stauts 有误：没有这个参数，可用的有："),
        ("status=filed&status=draft", "参数 status 有误：只能给出一次。"),
        ("status=", "参数 status 有误：不符合接口说明的格式或范围。"),
        ("status=issued", "参数 status 有误：不符合接口说明的格式或范围。"),
        ("since=2026/01/01", "参数 since 有误：不符合接口说明的格式或范围。"),
        ("since=2026-02-30", "参数 since 有误：不符合接口说明的格式或范围。"),
        ("until=1026-02-03", "参数 until 有误：不符合接口说明的格式或范围。"),
        ("amount_since=0", "参数 amount_since 有误：不符合接口说明的格式或范围。"),
        ("amount_since=1,000", "参数 amount_since 有误：不符合接口说明的格式或范围。"),
        ("amount_until=1e3", "参数 amount_until 有误：不符合接口说明的格式或范围。"),
        ("amount_until=0.00000", "参数 amount_until 有误：不符合接口说明的格式或范围。"),
        ("amount_since=9&amount_until=8", "参数 amount_until 有误：最小数量大于最大数量，请核对。"),
        ("since=2026-02-01&until=2026-01-01", "参数 until 有误：起始日期晚于终止日期，请核对。"),
        ("limit=0", "参数 limit 有误：不符合接口说明的格式或范围。"),
        ("limit=201", "参数 limit 有误：不符合接口说明的格式或范围。"),
        ("limit=九", "参数 limit 有误：不符合接口说明的格式或范围。"),
        ("cursor=abc", "参数 cursor 有误：不符合接口说明的格式或范围。"),
        ("title=" + "长" * 101, "参数 title 有误：不符合接口说明的格式或范围。"),
        ("act=grant", "参数 act 有误：没有这个参数，可用的有："),
    ],
)
def test_an_invalid_parameter_is_refused_and_never_ignored(app: Flask, query: str, sentence: str) -> None:
    answer = program(app, "publisher").get(f"{LIST}?{query}")
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    problem = answer.get_json()
    assert (problem["type"], problem["title"], problem["status"]) == ("about:blank", "Bad Request", 400)
    assert problem["detail"].startswith(sentence)


@pytest.mark.parametrize("number", ["%00", "%ED%A0%80", "SQ%00", "SQ202600000001%0A", "x" * 200])
def test_text_that_is_not_a_number_finds_no_application(app: Flask, number: str) -> None:
    assert program(app, "national").get(f"{LIST}/{number}").status_code == 404


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_the_interface_allows_only_reading(app: Flask) -> None:
    reads = Program(app, token_of(app, "publisher"))
    for address in (LIST, f"{LIST}/SQ202600000001", "/api/v1/key", "/api/v1/openapi.json"):
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            answer = reads.get(address, method)
            assert (answer.status_code, answer.get_json()["detail"]) == (405, "接口只能读取，请使用 GET 方法。")
            assert {*answer.headers["Allow"].split(", ")} == {"GET", "HEAD"}
    assert reads.get("/api/v2/").get_json()["status"] == 404


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_every_role_may_filter_by_every_status(app: Flask) -> None:
    """A status that a role never sees is not refused: it finds no row."""
    for who in ("publisher", "reviewer", "national"):
        reads = program(app, who)
        assert [reads.items(f"?status={status.value}") for status in Status] == [[]] * len(Status)
    with app.app_context(), access.everything() as session:
        assert session.scalars(select(Application)).all() == []
