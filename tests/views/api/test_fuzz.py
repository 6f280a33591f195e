"""The OpenAPI document is correct: schemathesis sends valid and invalid requests and checks each answer.

All of its checks are on, among them: no 5xx, what the schema allows is accepted, what it forbids is refused, every
answer has the status, type and form that are described, and nothing is read without a key.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, assume, given, settings
from schemathesis import Case, GenerationMode

from tests.conftest import MakeApplication
from tests.views.api.reading import token_of
from views.entrance.rate_limits import limiter

EXAMPLES = 10  # of each operation and mode


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many requests as the test wants."""
    monkeypatch.setattr(limiter, "enabled", False)


def in_order(query: dict[str, Any]) -> bool:
    """A rule that no schema can express: a period begins before it ends, and a quantity is no less than the least."""
    limits: dict[str, Callable[[Any], Any]] = {"since": str, "issued_since": str, "amount_since": Decimal}
    pairs = ((read, query.get(name), query.get(name.replace("since", "until"))) for name, read in limits.items())
    return not any(since and until and read(since) > read(until) for read, since, until in pairs)


def in_period(query: dict[str, Any]) -> bool:
    """A rule that no schema can express: a period of statistics has two ends or none, and at most five years."""
    since, until = query.get("since"), query.get("until")
    if not since and not until:
        return True
    return bool(since and until) and 0 <= (day(until) - day(since)).days <= MOST_DAYS


def day(text: Any) -> date:
    return date.fromisoformat(str(text))


P, N = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
OPERATIONS = (
    "listApplications", "showApplication", "listCertificates", "showCertificate", "changedApplications",
    "changedCertificates", "statistics",
)  # fmt: skip
WAYS = [("key", P), *((operation, mode) for operation in OPERATIONS for mode in (P, N))]
MOST_DAYS = 5 * 365  # of a period of statistics


@pytest.mark.slow
@pytest.mark.parametrize(("operation", "mode"), WAYS, ids=str)
def test_each_response_conforms_to_the_openapi_description(
    app: Flask, make_application: MakeApplication, unlimited: None, operation: str, mode: GenerationMode
) -> None:
    for status in ("pending", "filed"):
        make_application(status=status)
    own_key = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})
    described = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app, config=own_key)
    wanted = described.find_operation_by_id(operation)
    who = "national" if operation == "statistics" else "publisher"
    headers = {"Authorization": f"Bearer {token_of(app, who)}"}

    @given(case=wanted.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
    )  # fmt: skip
    def ask(case: Case) -> None:
        query = case.query or {}
        if mode is P and "changed_since" in query:
            query["changed_since"] = "0"  # the schema allows many; each but this names an entry of the trail, or is 410
        assume(mode is N or (in_period(query) if operation == "statistics" else in_order(query)))
        case.call_and_validate(headers=headers)

    ask()
