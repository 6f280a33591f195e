"""A content in which a virus was found is served and accepted nowhere, whatever a row of it is marked as."""

from flask import Flask
from sqlalchemy import select

from models import access
from models.acts import reissue
from models.application import Application, known_viruses
from models.application.attachments import Attachment
from models.application.blank_forms import BlankForm
from models.database import db
from tests.browsing import ClientAs
from tests.cast import account_of
from tests.conftest import MakeApplication, MakePdf
from tests.scanner import FOUND
from tests.views.screens.test_blank_forms import WHERE, offer, seen
from views import resources


def remember(app: Flask, model: type[Attachment] | type[BlankForm]) -> list[int]:
    """A virus is known in the content of each of these rows, which are not marked; their ids.

    So it is with a file that was uploaded while a scan was marking the others of its content.
    """
    with app.app_context(), access.everything() as session:
        rows = session.execute(select(model.id, model.digest)).all()
        for digest in {digest for _id, digest in rows}:
            known_viruses.remember(session, digest, FOUND)
        session.commit()
    return [key for key, _digest in rows]


def test_an_unmarked_file_of_a_known_virus_is_neither_served_nor_copied(
    app: Flask, make_application: MakeApplication, client_as: ClientAs
) -> None:
    key = make_application(status="revoked")
    files = remember(app, Attachment)
    assert files
    for file in files:
        answer = client_as("publisher").get(f"/applications/attachment/?id={file}")
        assert (answer.status_code, f"查出病毒（{FOUND}），不能打开或下载" in answer.text) == (409, True)
    with app.app_context():
        me = account_of("publisher")
        access.enter(me)
        draft, messages = reissue.copy(db.session(), db.session.get_one(Application, key), me, resources.store())
        assert (draft.attachments, len(messages)) == ([], len(files)) and FOUND in messages[0]


def test_a_blank_form_of_a_known_virus_is_neither_offered_nor_served(
    app: Flask, client_as: ClientAs, make_pdf: MakePdf
) -> None:
    """Also without a scanner, as attachments; the operator can replace it."""
    operator, publisher = client_as("operator"), client_as("publisher")
    offer(operator, make_pdf("带毒的样本"))
    assert publisher.get(WHERE).status_code == 200
    assert len(remember(app, BlankForm)) == 1
    for browser, where in ((publisher, WHERE), (operator, "/blanks/file/?kind=contract")):
        answer = browser.get(where)
        assert (answer.status_code, f"查出病毒（{FOUND}），不能下载" in answer.text) == (409, True)
    words = offer(operator, make_pdf("带毒的样本"), "换名.pdf", seen(operator))
    assert words == [f"文件“换名.pdf”的内容以前查出过病毒（{FOUND}），没有上传，请清除后重新生成文件。"]
    offer(operator, make_pdf("干净的样本"), version=seen(operator))
    assert publisher.get(WHERE).data == make_pdf("干净的样本")
