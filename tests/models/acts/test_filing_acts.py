"""What the acts refuse, their messages, and that they are atomic."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models.acts import drafts, filing, uploads
from models.acts.completeness import Incomplete
from models.application import Application, locking
from models.application.attachments import Attachment
from models.database import db
from models.vocabulary import Action, AttachmentKind, Status
from models.workflow import Refused
from tests.cast import upload
from tests.conftest import ActAs, MakeApplication, StoredRows
from views.resources import office

REQUIRED = {
    "title": "请填写商品名称。",
    "category": "请填写出版物类别。",
    "catalogue_number": "请填写版号。",
    "summary": "请填写内容简介。",
    "copyright_owner": "请填写著作权人。",
    "manufacturer": "请填写境外加工企业。",
    "country": "请填写国别（地区）。",
    "contract_number": "请填写加工合同号。",
    "port": "请填写进口口岸。",
    "consignee": "请填写收货单位。",
    "hs_code": "请填写商品编码。",
    "expected_on": "请填写预计进口日期。",
    "contact": "请填写联系人。",
    "phone": "请填写联系电话。",
    "carriers": "请至少录入一条载体信息。",
    "file-application_form": "请上传备案申请表。",
    "file-licence": "请上传出版许可证。",
    "file-sample": "请上传样品内容材料。",
    "file-contract": "请上传境外加工合同。",
}


def test_a_refused_submission_lists_everything_that_is_missing(act_as: ActAs, stored_rows: StoredRows) -> None:
    """行政许可法 第三十二条, by analogy; and nothing has happened."""
    with act_as("publisher") as filer:
        application = drafts.start(db.session(), filer)
        db.session.commit()
        key = application.id
        with pytest.raises(Incomplete) as lacking:
            filing.perform(db.session(), Action.SUBMIT, application, filer)
        db.session.rollback()
    assert lacking.value.missing == REQUIRED
    assert str(lacking.value) == "还有 19 项没有完成，暂不能申报。"
    assert stored_rows(key)["application"][0]["status"] is Status.DRAFT
    assert len(stored_rows(key)["trail_entry"]) == 1


def test_a_submission_without_carriers_is_refused(make_application: MakeApplication) -> None:
    """ST8: submissions with zero items passed elsewhere, and hung for months."""
    with pytest.raises(Incomplete) as lacking:
        make_application(status="pending", carriers=0)
    assert set(lacking.value.missing) == {"carriers"}


@pytest.mark.parametrize("kind", ["application_form", "licence", "sample", "contract", "entrustment"])
def test_a_submission_without_a_required_file_is_refused(
    make_application: MakeApplication, act_as: ActAs, kind: str
) -> None:
    """ST4: the file was uploaded and removed again; an agent needs 委托书 as well."""
    key = make_application(by="agent")
    with act_as("agent") as filer:
        application = db.session.get_one(Application, key)
        file = db.session.scalars(select(Attachment).filter_by(kind=kind)).one()
        uploads.detach(db.session(), application, file.id, filer)
        db.session.commit()
        with pytest.raises(Incomplete) as lacking:
            filing.perform(db.session(), Action.SUBMIT, application, filer)
    assert lacking.value.missing == {f"file-{kind}": f"请上传{AttachmentKind(kind).label}。"}


@pytest.mark.parametrize(
    ("status", "action"),
    [("pending", "return"), ("pending", "decline"), ("pending", "refuse"), ("filed", "revoke")],
)
def test_an_adverse_act_needs_an_opinion(
    make_application: MakeApplication, act_as: ActAs, stored_rows: StoredRows, status: str, action: str
) -> None:
    """ST7: an empty body gets a message about the missing opinion."""
    key = make_application(status=status)
    before = stored_rows(key)
    with act_as("reviewer") as reviewer:
        for opinion in ("", "   ", "\n\t"):
            with pytest.raises(Refused, match=f"{Action(action).label}须填写意见"):
                filing.perform(
                    db.session(),
                    Action(action),
                    db.session.get_one(Application, key),
                    reviewer,
                    opinion,
                    office=office(),
                )
            db.session.commit()
    assert stored_rows(key) == before


def test_an_opinion_has_a_maximum_length(make_application: MakeApplication, act_as: ActAs) -> None:
    key = make_application(status="pending")
    with act_as("reviewer") as reviewer:
        application = db.session.get_one(Application, key)
        with pytest.raises(Refused, match="不能超过 2000 字"):
            filing.perform(db.session(), Action.RETURN, application, reviewer, "理" * 2001)
        filing.perform(db.session(), Action.RETURN, application, reviewer, "理" * 2000)
        db.session.commit()
        assert application.trail[-1].opinion == "理" * 2000


def test_a_stale_form_is_refused_and_names_the_earlier_editor(
    make_application: MakeApplication, act_as: ActAs, stored_rows: StoredRows
) -> None:
    """AD5: the second form would have saved over the first; its version is an old one."""
    key = make_application()
    with act_as("publisher") as filer:
        seen = db.session.get_one(Application, key).version
        application = db.session.get_one(Application, key)
        with drafts.revising(db.session(), application, seen, filer):
            application.title = "先到的标题"
        db.session.commit()
        with (
            pytest.raises(locking.Conflict) as conflict,
            drafts.revising(db.session(), application, seen, filer),
        ):
            application.title = "后到的标题"
        db.session.rollback()
    assert "王敏（江苏文艺音像出版社）已于" in str(conflict.value)
    assert "编辑，当前状态为「暂存」" in str(conflict.value)
    assert stored_rows(key)["application"][0]["title"] == "先到的标题"


def test_an_upload_in_between_causes_no_version_conflict(
    app: Flask, make_application: MakeApplication, act_as: ActAs, make_pdf: Any
) -> None:
    """Files are uploaded beside the open form: they do not change its version and are not the conflicting edit."""
    key = make_application()
    with act_as("publisher") as filer:
        application = db.session.get_one(Application, key)
        seen = application.version
        upload(app, application, AttachmentKind.OTHER, make_pdf("other"), filer)
        db.session.commit()
        with drafts.revising(db.session(), application, seen, filer):
            application.title = "先到的标题"
        upload(app, application, AttachmentKind.OTHER, make_pdf("more"), filer)
        db.session.commit()
        with (
            pytest.raises(locking.Conflict, match="编辑，当前状态为「暂存」"),
            drafts.revising(db.session(), application, seen, filer),
        ):
            application.title = "后到的标题"


def test_a_second_decision_is_refused_and_names_the_first(
    make_application: MakeApplication, act_as: ActAs, stored_rows: StoredRows
) -> None:
    """AD5: two tabs; the first grants, the second, still showing 待审核, refuses."""
    key = make_application(status="pending")
    with act_as("reviewer") as late:
        shown = db.session.get_one(Application, key)
        with act_as("reviewer") as early:
            filing.perform(db.session(), Action.GRANT, db.session.get_one(Application, key), early, office=office())
            db.session.commit()
        before = stored_rows(key)
        with pytest.raises(locking.Conflict) as conflict:
            filing.perform(db.session(), Action.REFUSE, shown, late, "内容不符")
        db.session.commit()
    assert "陈静已于" in str(conflict.value)
    assert "准予备案，当前状态为「已备案」" in str(conflict.value)
    assert stored_rows(key) == before


def test_an_act_on_a_row_deleted_meanwhile_is_refused_with_a_request_to_reload(
    make_application: MakeApplication, act_as: ActAs
) -> None:
    key = make_application()
    with act_as("publisher") as late:
        shown = db.session.get_one(Application, key)
        with act_as("publisher") as early:
            filing.perform(db.session(), Action.DELETE, db.session.get_one(Application, key), early, office=office())
            db.session.commit()
        with pytest.raises(locking.Conflict, match="已被他人办理，请返回列表查看"):
            filing.perform(db.session(), Action.SUBMIT, shown, late)
