"""打印 of many certificates at once: recorded together or not at all, in one file to print them from."""

from collections.abc import Iterable
from contextlib import ExitStack
from io import BytesIO

import pikepdf
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from models import workflow
from models.acts import filing
from models.application import Application
from models.people.accounts import Account
from models.vocabulary import Action
from models.workflow import Refused

MOST = 200  # certificates in one file
MOST_NAMED = 10  # applications that a refusal names for one reason


def refusals(applications: Iterable[Application], by: Account) -> str:
    """Why some of them may not be printed: each sentence once, after the numbers it is about; "" when all may."""
    numbers: dict[str, list[str]] = {}
    for application in applications:
        if sentence := workflow.refusal(Action.PRINT, application.status, by.role):
            numbers.setdefault(sentence, []).append(application.number)
    return "".join(f"{_listed(found)}：{sentence}" for sentence, found in numbers.items())


def _listed(numbers: list[str]) -> str:
    """SQ1、SQ2; of many the first ones and how many they are, for the sentence travels in a cookie."""
    first = "、".join(numbers[:MOST_NAMED])
    return first if len(numbers) <= MOST_NAMED else _("%(first)s 等 %(count)s 份", first=first, count=len(numbers))


def check(applications: Iterable[Application], by: Account) -> None:
    """Raises Refused, with the numbers of the applications that may not be printed."""
    if sentences := refusals(applications, by):
        raise Refused(nothing_printed(sentences))


def record(session: Session, applications: Iterable[Application], by: Account) -> None:
    """One print of each; raises Refused, and then none is recorded. The caller commits."""
    for application in sorted(applications, key=lambda each: each.id):  # by id, so that two bundles cannot deadlock
        number = application.number
        try:
            filing.perform(session, Action.PRINT, application, by)
        except Refused as refused:
            session.rollback()
            raise Refused(nothing_printed(f"{number}：{refused}")) from None


def nothing_printed(sentences: str) -> str:
    """A refusal of the whole, after the sentences of those that are its cause."""
    return _("%(sentences)s没有打印任何一份，请取消勾选后重试。", sentences=sentences)


def bound(papers: Iterable[tuple[str, bytes]]) -> BytesIO:
    """One PDF to print from, with a bookmark for each of `papers`, which are (bookmark, PDF).

    The seal stays, for it belongs to the page; the signatures do not, for they sign each paper alone.
    """
    out = BytesIO()
    with ExitStack() as opened, pikepdf.new() as whole:
        with whole.open_outline() as outline:
            for bookmark, paper in papers:
                outline.root.append(pikepdf.OutlineItem(bookmark, len(whole.pages)))
                one = opened.enter_context(pikepdf.open(BytesIO(paper)))
                _strip(one)
                whole.pages.extend(one.pages)
        title = _("备案证明合并打印件（%(count)s 份，不含电子签名）", count=len(outline.root))
        with whole.open_metadata() as metadata:
            metadata["dc:title"] = title
        whole.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
        whole.Root.PageMode, whole.Root.Lang = pikepdf.Name.UseOutlines, "zh-CN"
        whole.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    out.seek(0)
    return out


def _strip(paper: pikepdf.Pdf) -> None:
    """What has no meaning outside its own paper: the signature's field, and the places in its tree of tags."""
    for holder, name in [(paper.Root, "/AcroForm")] + [(page.obj, "/StructParents") for page in paper.pages]:
        if name in holder:
            del holder[name]
    for page in paper.pages:
        others = [each for each in page.get("/Annots", []) if each.Subtype != pikepdf.Name.Widget]
        page.obj.Annots = pikepdf.Array(others)
