"""Every POST route through the real server: done once as people do it, and tried by everybody else."""

import pytest
from werkzeug.routing import Rule

from models.vocabulary import Action
from tests import ROOT
from tests.served.administration import (
    announced_and_read,
    blank_forms_offered,
    entrusted_by_a_publisher,
    limits_and_working_days,
    manage_registers,
    manage_saved_queries,
    sessions_ended,
)
from tests.served.answers import check
from tests.served.keys_story import keys_enrolled_used_and_removed, keys_of_programs
from tests.served.rows import shared_rows
from tests.served.story import (
    Story,
    claim_and_release,
    decided_and_printed,
    filed_by_its_publisher,
    refused_and_deleted,
    resend_to_customs,
    revoked_and_applied_for_again,
)
from tests.serving import Server
from tests.views.entrance.route_roles import PEOPLE, ROUTE_ROLES


def test_every_act_is_done_through_the_server(served: Server, routes: list[Rule]) -> None:
    """One filing from the blank form to its copy, one decision of each kind, all that the operator does, a password."""
    story = Story(served)
    key = filed_by_its_publisher(story)
    claim_and_release(story, key)
    decided_and_printed(story, key)
    resend_to_customs(story)
    revoked_and_applied_for_again(story, key)
    refused_and_deleted(story)
    shared_rows(served)  # before the agent has a second publisher: its filings are made for the only one
    manage_registers(story)
    entrusted_by_a_publisher(story)
    limits_and_working_days(story)
    announced_and_read(story)
    manage_saved_queries(story)
    blank_forms_offered(story)
    sessions_ended(story)
    keys_enrolled_used_and_removed(story)
    keys_of_programs(story)
    assert acts(routes) - story.done == set(), "a new act: tell here how people do it"
    assert must_be_logged(routes) - story.logged == set(), "these acts leave no entry in the log: see the README"
    assert story.logged & set(NOT_LOGGED) == set(), "these do, and are no exceptions any more"


def acts(routes: list[Rule]) -> set[str]:
    """Every POST route, and each act of those that take one, with a user who may perform it."""
    found = {rule.endpoint for rule in routes if "POST" in (rule.methods or ()) and not rule.arguments}
    found |= {f"{screen}.perform:{action}" for screen, actions in MAY.items() for action in actions}
    shut = {f"{screen}.{view}" for screen in ("review", "filings", "register") for view in ("create_view", "edit_view")}
    shut |= {"calendar.edit_view", "entrusting.edit_view", "queries.create_view"}
    return found - shut - {f"{screen}.{view}" for screen in SHUT for view in ("create_view", "edit_view")}


IN_THE_TRAIL = {"applications", "review", "filings", "register", "exchange"}  # acts on applications, and their messages
NOT_LOGGED = dict.fromkeys(
    ("districts.preview", "calendar.preview"), "shows what a file would change"
) | dict.fromkeys(
    ("queries.save_query", "queries.edit_view", "queries.remove"), "a query that a person has saved for a list"
) | dict.fromkeys(
    ("keys.options", "key_options", "confirm_options"), "the challenge of a key; the sign-in itself is logged"
) | {
    "messages.read_all": "marks messages as read, for their reader alone",
    "verify.upload": "public verification of a file, which changes nothing",
    "witness": "checkpoints of other systems, which its folder records",
}  # fmt: skip
LOGGED_ELSEWHERE = {  # endpoint → a test that does it and reads its entry
    "login": ("tests/views/screens/test_logs.py", "登录成功"),
    "card_login": ("tests/views/entrance/test_card_certificates.py", "card_refused"),
    "accounts.bind_card": ("tests/views/entrance/test_logged_cards.py", "card_bound"),
    "accounts.remove_card": ("tests/views/entrance/test_logged_cards.py", "card_removed"),
    "portal.link": ("tests/views/screens/test_portal_requests.py", "portal_linked"),
    "portal.decline": ("tests/views/screens/test_portal_requests.py", "portal_declined"),
    "accounts.unlink": ("tests/views/screens/test_portal_requests.py", "portal_unlinked"),
    "portal_logout": ("tests/views/entrance/test_portal.py", "portal_ended"),
}


def must_be_logged(routes: list[Rule]) -> set[str]:
    """The POST routes of any role but those of applications, and but the exceptions above."""
    found = {rule.endpoint for rule in routes if "POST" in (rule.methods or ())}
    found = {endpoint for endpoint in found if ROUTE_ROLES[endpoint] and endpoint.split(".")[0] not in IN_THE_TRAIL}
    return found - set(NOT_LOGGED) - set(LOGGED_ELSEWHERE)


def test_what_is_logged_elsewhere_is_tested_there(routes: list[Rule]) -> None:
    found = {rule.endpoint for rule in routes}
    assert set(NOT_LOGGED) | set(LOGGED_ELSEWHERE) <= found, "routes that are gone"
    for endpoint, (file, kind) in LOGGED_ELSEWHERE.items():
        assert kind in (ROOT / file).read_text(encoding="utf-8"), endpoint


DECISIONS = {"return", "decline", "refuse", "extend", "grant"}
MAY = {
    "applications": {"submit", "withdraw", "delete", "print"},
    "review": DECISIONS | {"take", "take_over", "put_back"},
    "filings": {"print", "resend", "revoke"},
    "register": {"print"},
}
SHUT = (
    "exchange", "districts", "traffic", "province", "messages", "signins", "operations", "prints", "acts", "online",
    "blanks", "portal",
)  # fmt: skip


def test_every_act_occurs_in_the_story() -> None:
    """A new act must be written into MAY, and so done above."""
    assert set().union(*MAY.values()) == {action.value for action in Action} - {"edit", "copy", "duplicate"}


@pytest.mark.parametrize("username", [*PEOPLE.values(), None])
def test_every_post_by_every_role_gets_a_message_and_no_server_error(
    served: Server, routes: list[Rule], username: str | None
) -> None:
    """Every POST route × everybody, with the fields of every form and with none: no 5xx, and a silent server."""
    client, key = served.client(username), shared_rows(served).applications["deleted"]
    fields = {"id": key, "pick": key, "attachment": 1, "kind": "other", "opinion": "理由", "url": "/review/?title=二"}
    for rule in (
        rule for rule in routes if "POST" in (rule.methods or ()) and rule.endpoint not in ("logout", "login")
    ):
        act = "return" if rule.endpoint.endswith(".together") else "revoke"
        built = rule.build(
            {"action": act, "act": "resend", "what": "add", "how": "stop", "answer": "end"} if rule.arguments else {}
        )
        assert built
        for sent in ({}, fields, fields | {"file": (b"%PDF-1.4 broken", "坏的.pdf")}):
            if not (
                rule.endpoint == "applications.create_view" and username == "publisher"
            ):  # which would make a draft
                check(built[1], client.post(built[1], sent))
