"""The whole matrix, written by hand from the manual (第二章) and section 1 of the design; nothing here reads ACTS."""

from itertools import product

import pytest

from models.vocabulary import Action, Delivery, Role, Status, Step
from models.workflow import ACTS, MESSAGE_ACTS, RECEIPTS, SETTLEMENTS, Refused, check, message_refusal, refusal
from tests.models.matrix import CELLS, LEADS_TO, LETTERS, MESSAGE_CELLS, SETTLED

IF_REJECTED = {("revoked", "resend"): "R"}  # too, but only while customs has rejected what it was told last
ENDS = {"not_accepted", "refused", "revoked"}
SHOWN = {
    "draft": "暂存",
    "pending": "待审核",
    "returned": "退回",
    "not_accepted": "不予受理",
    "refused": "不予备案",
    "filed": "已备案",
    "customs_received": "海关接收成功",
    "customs_failed": "海关接收失败",
    "revoked": "已作废",
}


def test_the_table_speaks_of_every_status_action_and_role() -> None:
    assert set(CELLS) == {(status.value, action.value) for status, action in product(Status, Action)}
    assert set(LETTERS) == {role.value for role in Role}
    assert {status.value: str(status.label) for status in Status} == SHOWN


@pytest.mark.parametrize("role", LETTERS)
@pytest.mark.parametrize(("status", "action"), CELLS)
def test_the_whole_matrix(status: str, action: str, role: str) -> None:
    """ST2: every act, in every status, by every role, is allowed or refused as the manual says."""
    said = refusal(Action(action), Status(status), Role(role))
    assert (said is None) == (LETTERS[role] in CELLS[status, action])


@pytest.mark.parametrize(("status", "action"), CELLS)
def test_a_rejection_by_customs_allows_one_thing_more(status: str, action: str) -> None:
    """A revocation that customs did not take is no dead end."""
    may = (CELLS | IF_REJECTED)[status, action]
    for role, letter in LETTERS.items():
        assert (refusal(Action(action), Status(status), Role(role), rejected=True) is None) == (letter in may)


@pytest.mark.slow
@pytest.mark.parametrize(("status", "action"), CELLS)
def test_a_refusal_names_the_status_and_every_status_that_would_allow_it(status: str, action: str) -> None:
    able = {letter for (_, act), cell in CELLS.items() if act == action for letter in cell if letter != "-"}
    for role in (role for role, letter in LETTERS.items() if letter in able):
        said = refusal(Action(action), Status(status), Role(role))
        if LETTERS[role] in CELLS[status, action]:
            assert said is None
            continue
        assert said is not None
        assert f"当前状态为「{SHOWN[status]}」，不能{Action(action).label}" in said
        allowing = {name for (name, act), cell in CELLS.items() if act == action and LETTERS[role] in cell}
        promised = said.split("；")[1]
        assert {name for name, shown in SHOWN.items() if f"「{shown}」" in promised} == allowing


@pytest.mark.parametrize("action", list(Action))
def test_a_refusal_to_the_wrong_role_names_the_role_that_may(action: Action) -> None:
    said = refusal(action, Status.DRAFT, Role.OPERATOR)
    assert said is not None
    assert str(action.label) in said
    for role in Role:
        able = any(LETTERS[role] in cell for (_, act), cell in CELLS.items() if act == action)
        assert (f"「{role.label}」" in said) == able


def test_nobody_signed_in_may_do_nothing() -> None:
    assert all(refusal(action, status, None) for action, status in product(Action, Status))


def test_check_raises_the_very_sentence_of_the_refusal() -> None:
    with pytest.raises(Refused) as refused:
        check(Action.PRINT, Status.CUSTOMS_FAILED, Role.PUBLISHER)
    assert str(refused.value) == refusal(Action.PRINT, Status.CUSTOMS_FAILED, Role.PUBLISHER)
    assert "海关接收失败" in str(refused.value)
    assert "「已备案」「海关接收成功」" in str(refused.value)


def test_a_new_status_could_not_print_by_accident() -> None:
    """Design 2.2: printing is allowed by two statuses, not forbidden by six."""
    assert {status for (status, action), cell in CELLS.items() if action == "print" and cell != "-"} == {
        "filed",
        "customs_received",
    }


@pytest.mark.parametrize("status", [status for status in Status if status.value not in ENDS])
def test_every_status_that_is_not_an_end_has_a_way_out(status: Status) -> None:
    """ST1: an application in which nobody can do anything is lost."""
    leaving = [act for (name, act), cell in CELLS.items() if name == status and cell != "-" and act in LEADS_TO]
    assert [act for act in leaving if any(check(Action(act), status, role) for role in ACTS[Action(act)].by)]


def test_every_status_can_be_reached_from_a_draft() -> None:
    """ST1: no status is an orphan."""
    steps = [(status, LEADS_TO[act]) for (status, act), cell in CELLS.items() if cell != "-" and act in LEADS_TO]
    steps += [("filed", "customs_received"), ("filed", "customs_failed")]
    reached, size = {"draft"}, 0
    while size != len(reached):
        size = len(reached)
        reached |= {there for here, there in steps if here in reached}
    assert reached == {status.value for status in Status}


def test_customs_replies_move_a_filed_application_only_and_belong_to_no_role() -> None:
    assert {step: (rule.when, rule.to, rule.by) for step, rule in RECEIPTS.items()} == {
        Step.CUSTOMS_ACCEPTED: ({Status.FILED}, Status.CUSTOMS_RECEIVED, frozenset()),
        Step.CUSTOMS_REJECTED: ({Status.FILED}, Status.CUSTOMS_FAILED, frozenset()),
    }


@pytest.mark.parametrize(("state", "act"), MESSAGE_CELLS)
def test_the_matrix_of_acts_on_messages(state: str, act: str) -> None:
    """Each act, in each state, by each role, answered lately or not for long."""
    cell = MESSAGE_CELLS[state, act]
    for (role, letter), long in product(LETTERS.items(), (False, True)):
        told = message_refusal(Step(act), Delivery(state), long, Role(role))
        assert (told is None) == (letter == "R" and (cell == "R" or (cell == "L" and long))), (role, long)
        if told is not None and letter == "R":
            assert str(Step(act).label) in told
            assert ("久未回执" in told) == (cell == "L")
            assert cell != "-" or all(
                (f"「{each.label}」" in told.split("；")[1]) == (MESSAGE_CELLS[each.value, act] != "-")
                for each in Delivery
            )


def test_the_matrix_of_messages_speaks_of_every_state_and_act() -> None:
    assert set(MESSAGE_CELLS) == {(state.value, act.value) for state, act in product(Delivery, MESSAGE_ACTS)}


def test_settling_by_hand_does_what_the_receipt_does() -> None:
    """And needs a reason; the same move, by the province in place of customs."""
    moves = {act.value: (rule.when, rule.to, rule.by, rule.opinion) for act, rule in SETTLEMENTS.items()}
    assert moves == {act: ({before}, after, {"reviewer"}, True) for act, (before, after) in SETTLED.items()}
