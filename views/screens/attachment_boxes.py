"""Asterisks of the boxes in 上传附件: required kinds, now and for each publisher that may be chosen."""

from typing import Any

from flask_login import current_user

from models.acts.completeness import required_kinds
from models.application import Application
from models.database import db
from models.deadlines import provinces
from models.people.accounts import Organisation, publishers_for
from models.vocabulary import AttachmentKind, Filing
from views.panel.display import once


def publishers_of_unit(unit: int | None) -> list[Organisation]:
    """The publishers that this unit may apply for, queried once a page."""
    return once(("publishers", unit), lambda: publishers_for(db.session(), unit))


def asterisks(model: Application | None, chosen: int | None) -> dict[str, Any]:
    """{"required": kinds for `chosen`, the publisher in the form, "required_for": kind → ids of publishers}."""
    unit = model.applicant_id if model else current_user.organisation_id
    publishers = {publisher.id: publisher.province for publisher in publishers_of_unit(unit)}
    if model is not None and model.publisher_id is not None:
        publishers.setdefault(model.publisher_id, model.province or "")
    further = provinces.further_kinds(db.session())
    needs = {
        publisher: required_kinds(Filing.OWN if publisher == unit else Filing.ENTRUSTED, further.get(province))
        for publisher, province in publishers.items()
    }
    known = {kind: [publisher for publisher, kinds in needs.items() if kind in kinds] for kind in AttachmentKind}
    always = required_kinds(None)
    return {
        "required": needs.get(chosen or 0, always),
        "required_for": {
            kind: " ".join(map(str, found)) for kind, found in known.items() if found and kind not in always
        },
    }
