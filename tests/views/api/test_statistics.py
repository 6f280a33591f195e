"""统计 by the interface: the figures of the page, for those who have the page."""

from typing import Any

import pytest
from flask import Flask

from models import access, clock
from tests.cast import account_of
from tests.conftest import MakeApplication
from tests.views.api.reading import program

ADDRESS = "/api/v1/statistics"


def total(app: Flask, who: str, query: str = "") -> dict[str, Any]:
    answer = program(app, who).get(ADDRESS + query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()["total"]
    return found


def test_each_role_gets_statistics_of_its_visible_rows(app: Flask, make_application: MakeApplication) -> None:
    """The nation sees issued certificates only, so other decisions have no number, not even 0."""
    for status in ("filed", "customs_received", "revoked", "pending", "refused", "not_accepted", "draft"):
        make_application(status=status, carriers=1)
    names = ("submit", "grant", "decline", "refuse", "revoke")
    assert [total(app, "reviewer")[name] for name in names] == [6, 3, 1, 1, 1]
    assert [total(app, "national")[name] for name in names] == [None, 3, None, None, 1]
    assert [total(app, "reviewer2")[name] for name in names] == [0, 0, 0, 0, 0]
    assert total(app, "national")["quantities"] == [{"unit": {"code": "010", "label": "010-张"}, "quantity": "3000"}]


def test_statistics_are_given_for_a_dimension_and_a_period(app: Flask, make_application: MakeApplication) -> None:
    make_application(status="filed")
    reads, year = program(app, "national"), clock.today().year
    found = reads.get(f"{ADDRESS}?since={year}-01-01&until={year}-12-31&dimension=quarter").get_json()
    assert (found["since"], found["dimension"], found["province"]) == (f"{year}-01-01", "quarter", None)
    assert [row["key"] for row in found["rows"]] == [f"{year}-{month:02}-01" for month in (1, 4, 7, 10)]
    assert sum(row["grant"] for row in found["rows"]) == found["total"]["grant"] == 1
    by_province = {row["key"]: row["grant"] for row in reads.get(ADDRESS).get_json()["rows"]}
    assert {code for code, granted in by_province.items() if granted} == {"320000"}
    assert total(app, "national", "?province=440000")["grant"] == 0
    assert total(app, "national", "?since=2020-01-01&until=2020-12-31")["grant"] == 0


def test_a_province_reads_no_number_of_another_not_even_0(app: Flask, make_application: MakeApplication) -> None:
    make_application(status="filed")
    reads = program(app, "reviewer")
    found = reads.get(ADDRESS).get_json()
    assert (found["province"], [(row["key"], row["grant"]) for row in found["rows"]]) == ("320000", [("320000", 1)])
    assert total(app, "reviewer", "?province=320000") == found["total"]
    with app.app_context(), access.everything() as session:
        session.merge(account_of("national")).province = "320000"  # of no meaning for the nation
        session.commit()
    assert program(app, "national").get(ADDRESS).get_json()["province"] is None
    refused = reads.get(f"{ADDRESS}?province=440000")
    assert (refused.status_code, "只能读取本省的统计" in refused.get_json()["detail"]) == (400, True)


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_a_role_without_statistics_is_refused(app: Flask) -> None:
    answer = program(app, "publisher").get(ADDRESS)
    assert (answer.status_code, answer.mimetype) == (403, "application/problem+json")
    assert answer.get_json()["detail"] == "统计只供省级审核和国家查询的账号读取。"


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("since=2026-02-01&until=2026-01-01", "起始日期晚于终止日期"),
        ("since=2026-02-01", "请填写起始日期和终止日期。"),
        ("since=2001-02-01&until=2026-01-01", "一次最多统计 5 年"),
        ("dimension=planet", "不符合接口说明的格式或范围。"),
        ("title=x", "没有这个参数"),
    ],
)
def test_an_invalid_parameter_is_refused(app: Flask, query: str, sentence: str) -> None:
    answer = program(app, "national").get(f"{ADDRESS}?{query}")
    assert answer.status_code == 400
    assert sentence in answer.get_json()["detail"]


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_statistics_have_a_lower_rate_limit_than_reading(app: Flask) -> None:
    reads = program(app, "reviewer")
    assert [reads.get(ADDRESS).status_code for _n in range(11)] == [200] * 10 + [429]
