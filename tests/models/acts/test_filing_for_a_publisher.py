"""The publisher of an application, its own or that of an agent's entrustment, and the authority that follows."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from models import access, clock
from models.acts import drafts, filing
from models.acts.completeness import lacking
from models.acts.doubts import doubts
from models.application import Application
from models.database import db
from models.deadlines.provinces import ProvinceSettings
from models.people.accounts import Entrustment, Organisation
from models.vocabulary import Action, AttachmentKind, Filing
from models.workflow import Refused
from tests.cast import account_of
from tests.conftest import ActAs, MakeApplication, StoredRows


def test_an_agent_files_for_the_publisher_that_entrusted_it(make_application: MakeApplication, act_as: ActAs) -> None:
    """Design 2.5: applicant and publisher are two fields; 委托书 is then required."""
    key = make_application(by="agent", status="filed")
    with act_as("agent"):
        application = db.session.get_one(Application, key)
        assert application.filing is Filing.ENTRUSTED
        assert (application.applicant_name, application.publisher_name) == (
            "南京光盘进出口有限公司",
            "江苏文艺音像出版社",
        )
        assert application.desk == "320000"
        assert AttachmentKind.ENTRUSTMENT in {file.kind for file in application.attachments}
    with act_as("reviewer"):
        assert db.session.get(Application, key) is not None


def test_an_agent_cannot_submit_after_the_entrustment_has_ended(
    make_application: MakeApplication, act_as: ActAs, stored_rows: StoredRows
) -> None:
    key = make_application(by="agent")
    before = stored_rows(key)
    with act_as("publisher"):
        db.session.scalars(select(Entrustment)).one().until = clock.today() - timedelta(days=1)
        db.session.commit()
    with act_as("agent") as filer:
        with pytest.raises(Refused, match="没有受该出版单位委托"):
            filing.perform(db.session(), Action.SUBMIT, db.session.get_one(Application, key), filer)
        db.session.rollback()
        fresh = drafts.start(db.session(), filer)
        assert (fresh.publisher_id, fresh.province, fresh.filing) == (None, None, None)
    assert stored_rows(key) == before


def test_an_entrustment_is_valid_on_its_last_day(make_application: MakeApplication, act_as: ActAs) -> None:
    key = make_application(by="agent")
    with act_as("publisher"):
        entrustment = db.session.scalars(select(Entrustment)).one()
        entrustment.since = entrustment.until = clock.today()
        db.session.commit()
    with act_as("agent") as filer:
        filing.perform(db.session(), Action.SUBMIT, db.session.get_one(Application, key), filer)
        db.session.commit()
        assert db.session.get_one(Application, key).applied_on == clock.today()


def test_an_agent_cannot_choose_a_publisher_that_has_not_entrusted_it(
    make_application: MakeApplication, act_as: ActAs, make_publisher: Callable[..., str]
) -> None:
    """AD10: a foreign number in the select box is refused by the models too."""
    stranger = make_publisher("440000")
    key = make_application()
    with act_as(stranger) as other:
        foreign = other.organisation_id
    with act_as("publisher") as filer:
        application = db.session.get_one(Application, key)
        with (
            pytest.raises(Refused, match="没有受该出版单位委托"),
            drafts.revising(db.session(), application, application.version, filer),
        ):
            application.publisher_id = foreign
        db.session.rollback()
        assert application.publisher_name == "江苏文艺音像出版社"


def test_choosing_a_publisher_sets_the_authority_of_a_draft_only(
    make_application: MakeApplication, act_as: ActAs, make_publisher: Callable[..., str]
) -> None:
    """受理机关 follows from the publisher; after 申报 a change would move the case to another province's desk."""
    with act_as(make_publisher("440000", by_agent="agent")) as other:
        cantonese = other.organisation_id
    with act_as("publisher") as own:
        home = own.organisation_id
    key = make_application(by="agent", publisher_id=cantonese)
    with act_as("agent") as filer:
        application = db.session.get_one(Application, key)
        assert (application.province, application.authority) == ("440000", "广东省新闻出版局")
        filing.perform(db.session(), Action.SUBMIT, application, filer)
        db.session.commit()
    with act_as("reviewer2") as reviewer:
        filing.perform(db.session(), Action.RETURN, db.session.get_one(Application, key), reviewer, "请补充")
        db.session.commit()
    with act_as("agent") as filer:
        application = db.session.get_one(Application, key)
        with (
            pytest.raises(Refused, match="不能更换出版单位"),
            drafts.revising(db.session(), application, application.version, filer),
        ):
            application.publisher_id = home
        db.session.rollback()
        assert application.province == "440000"


def test_a_draft_changes_its_authority_with_its_publisher_and_warns_before_submission(
    make_application: MakeApplication, act_as: ActAs, app: Flask
) -> None:
    """Authority and required kinds are those of the day of 申报; a returned application keeps its authority."""
    key, returned = make_application(), make_application(status="returned")
    with app.app_context(), access.everything() as session:
        session.get_one(Organisation, account_of("publisher").organisation_id).province = "440000"
        guangdong = session.scalars(select(ProvinceSettings).where(ProvinceSettings.province == "440000")).one()
        guangdong.required_kinds = frozenset({AttachmentKind.COPYRIGHT})
        session.commit()
    with act_as("publisher") as filer:
        draft, other = (db.session.get_one(Application, each) for each in (key, returned))
        assert doubts(db.session(), draft)[0] == (
            "出版单位现在登记在广东省，申报后由广东省新闻出版局受理，请核对需要提交的附件。"
        )
        assert not any("登记在" in sentence for sentence in doubts(db.session(), other))
        assert set(lacking(draft)) == {"file-copyright"}
        assert lacking(other) == {}
        filing.perform(db.session(), Action.SUBMIT, other, filer)
        assert other.province == "320000"
