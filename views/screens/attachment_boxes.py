"""The asterisks at the boxes of 上传附件: which kinds are required now, and for which presses."""

from typing import Any

from flask_login import current_user

from models.acts.completeness import required_kinds
from models.application import Application
from models.database import db
from models.deadlines import provinces
from models.people.accounts import publishers_for
from models.vocabulary import AttachmentKind, Filing


def asterisks(model: Application | None, chosen: int | None) -> dict[str, Any]:
    """`required`: the kinds for the press `chosen` in the form, saved or not; `required_for`: kind → ids of presses."""
    unit = model.applicant_id if model else current_user.organisation_id
    presses = {press.id: press.province for press in publishers_for(db.session(), unit)}
    if model is not None and model.publisher_id is not None:
        presses.setdefault(model.publisher_id, model.province or "")
    further = provinces.further_kinds(db.session())
    needs = {
        press: required_kinds(Filing.OWN if press == unit else Filing.ENTRUSTED, further.get(province))
        for press, province in presses.items()
    }
    known = {kind: [press for press, kinds in needs.items() if kind in kinds] for kind in AttachmentKind}
    always = required_kinds(None)
    return {
        "required": needs.get(chosen or 0, always),
        "required_for": {
            kind: " ".join(map(str, found)) for kind, found in known.items() if found and kind not in always
        },
    }
