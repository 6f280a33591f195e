"""README's recipe «An act», in a copy of the code: a word and a record, and the act is there.

One of the two acts here does more than move the status: its record names an effect.
"""

import sys
from pathlib import Path

import pytest
from flask import Flask

from models.acts import effects
from tests.models.migrations.test_recipes import copy_project, run_in

RECIPE = {
    "models/vocabulary.py": {
        '    COPY = "copy", _l("重新申请")': '    COPY = "copy", _l("重新申请")\n    RECALL = "recall", _l("追回")'
        '\n    NOTE = "note", _l("批注")',
    },
    "models/workflow/acts.py": {
        "    Action.COPY: Act(": """    Action.RECALL: Act(
        by=APPLICANT,
        when=AWAITING,
        to=Status.DRAFT,
        question=_l("确定要追回 %(number)s 吗？"),
        done=_l("已追回"),
        result=_l("%(number)s 已追回。"),
        style="danger",
        effect="models.acts.effects:RECALL",
    ),
    Action.NOTE: Act(by=PROVINCE, when=AWAITING, opinion=True, quiet=True, question=_l("确定要批注吗？")),
    Action.COPY: Act(""",
    },
    "models/acts/effects.py": {
        "EFFECTS: dict[": "RECALL = Effect(finish=uncount_submission)\n\nEFFECTS: dict[",
    },
}
TRIED = """
from lxml import html
from app import create_app
from models import access
from models.application import Application
from tests.cast import create_application
from tests.browsing import signed_in

app = create_app({"TESTING": True, "CAPTCHA": False})
pending, draft = create_application(app, status="pending"), create_application(app)
publisher, reviewer = signed_in(app, "publisher"), signed_in(app, "reviewer")


def button(page, name):
    found = html.fromstring(page).xpath(f"//button[@data-act='{name}']")
    return found[0] if found else None


page = reviewer.get(f"/review/details/?id={pending}").text
assert button(page, "recall") is None, "another role's act is not offered"
note = button(page, "note")
assert note.text == "批注" and note.get("data-opinion") == "note" and note.get("aria-disabled") is None
assert "须填写意见" in reviewer.post(note.get("formaction"), data={"id": pending}, follow_redirects=True).text
page = publisher.get(f"/applications/details/?id={pending}").text  # open while the province notes something
reviewer.post(note.get("formaction"), data={"id": pending, "opinion": "请稍候。"})
recall = button(page, "recall")
assert "btn-danger" in recall.get("class") and recall.get("data-ask").startswith("确定要追回 SQ")
refused = publisher.post("/applications/recall/", data={"id": draft}, follow_redirects=True).text
assert "当前状态为「暂存」，不能追回；「待审核」状态可以追回。" in refused, refused
assert "账号才能追回" in reviewer.post("/review/recall/", data={"id": pending}, follow_redirects=True).text
done = publisher.post(recall.get("formaction"), data={"id": pending}, follow_redirects=True).text
assert "已追回" in done and "暂存" in done
with app.app_context(), access.everything() as session:
    assert session.get_one(Application, pending).submissions == 0
print("done")
"""


@pytest.mark.slow
def test_a_new_act_needs_one_enum_value_and_one_record(app: Flask, tmp_path: Path) -> None:
    """Buttons, guard, question, result, trail and refusals follow; nothing else is touched."""
    project = copy_project(tmp_path, RECIPE)
    assert run_in(project, app, sys.executable, "-c", TRIED).splitlines()[-1] == "done"


def test_every_effect_is_named_by_a_record() -> None:
    written = [value for value in vars(effects).values() if isinstance(value, effects.Effect)]
    assert set(written) == {effect for effect in effects.EFFECTS.values() if effect != effects.Effect()}
