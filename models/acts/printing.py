"""打印 of many certificates at once: recorded together or not at all, in one file to print them from."""

from collections.abc import Iterable
from contextlib import ExitStack
from io import BytesIO
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models import workflow
from models.acts import filing
from models.application import Application
from models.language import in_sentences, listed, recorded
from models.people.accounts import Account
from models.vocabulary import Action
from models.workflow import Refused

if TYPE_CHECKING:
    import pikepdf

MOST = 200  # certificates in one file
MOST_NAMED = 10  # applications that a refusal names for one reason


def refusals(applications: Iterable[Application], by: Account) -> str:
    """Why some of them may not be printed: each reason once, after the numbers concerned; "" when all may be."""
    numbers: dict[str, list[str]] = {}
    for application in applications:
        if sentence := workflow.refusal(Action.PRINT, application.status, by.role):
            numbers.setdefault(sentence, []).append(application.number)
    return in_sentences(
        _("%(label)s：%(sentence)s", label=_listed(found), sentence=sentence) for sentence, found in numbers.items()
    )


def _listed(numbers: list[str]) -> str:
    """SQ1、SQ2; of more than MOST_NAMED the first ones and the count, because the sentence is sent in a cookie."""
    first = listed(numbers[:MOST_NAMED])
    return first if len(numbers) <= MOST_NAMED else _("%(first)s 等 %(count)s 份", first=first, count=len(numbers))


def check(applications: Iterable[Application], by: Account) -> None:
    """Raises Refused, with the numbers of the applications that may not be printed."""
    if sentences := refusals(applications, by):
        raise Refused(none_printed(sentences))


def record(session: Session, applications: Iterable[Application], by: Account) -> None:
    """Record a print of each; on Refused it rolls back, and none is recorded. The caller commits."""
    for application in sorted(applications, key=lambda each: each.id):  # by id, so that two bundles cannot deadlock
        number = application.number
        try:
            filing.perform(session, Action.PRINT, application, by)
        except Refused as refused:
            session.rollback()
            raise Refused(none_printed(_("%(label)s：%(sentence)s", label=number, sentence=refused))) from None


def none_printed(sentences: str) -> str:
    """The sentence that nothing was printed, after the reasons `sentences`."""
    return _("%(sentences)s没有打印任何一份，请取消勾选后重试。", sentences=sentences)


def join_papers(papers: Iterable[tuple[str, bytes]]) -> BytesIO:
    """One PDF to print from, with a bookmark for each of `papers`, which are (bookmark, PDF).

    The picture of the seal stays; the signatures are removed, because each covers only the bytes of its own paper.
    """
    import pikepdf

    out = BytesIO()
    with ExitStack() as opened, pikepdf.new() as whole:
        with whole.open_outline() as outline:
            for bookmark, paper in papers:
                outline.root.append(pikepdf.OutlineItem(bookmark, len(whole.pages)))
                one = opened.enter_context(pikepdf.open(BytesIO(paper)))
                _strip(one)
                whole.pages.extend(one.pages)
        title = recorded(_l("备案证明合并打印件（%(count)s 份，不含电子签名）", count=len(outline.root)))
        with whole.open_metadata() as metadata:
            metadata["dc:title"] = title
        whole.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
        whole.Root.PageMode, whole.Root.Lang = pikepdf.Name.UseOutlines, "zh-CN"
        whole.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    out.seek(0)
    return out


def _strip(paper: "pikepdf.Pdf") -> None:
    """Remove what is invalid in a joined file: the field of the signature, and references into its tag tree."""
    import pikepdf

    for holder, name in [(paper.Root, "/AcroForm")] + [(page.obj, "/StructParents") for page in paper.pages]:
        if name in holder:
            del holder[name]
    for page in paper.pages:
        others = [each for each in page.get("/Annots", []) if each.Subtype != pikepdf.Name.Widget]
        page.obj.Annots = pikepdf.Array(others)
