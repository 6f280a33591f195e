"""中文 and English: every page in both, without missing or mixed texts."""

import re

import pytest
from flask import Flask

from models import access, log
from models.log import Operation, Place
from models.people.methods import Method
from models.people.sessions import begin_visit
from models.vocabulary import Status
from tests.browsing import signed_in
from tests.cast import account_of, create_application
from tests.views.walking import furnish, pages, starts
from tests.views.words_of_pages import chinese_in, data_in, words_of
from views.translations import COOKIE
from views.translations.words import extracted, is_translated, read_catalogue

EVERYBODY = ("publisher", "agent", "reviewer", "national", "operator", None)
SENTENCE = re.compile(r"(?<![\w./-])[A-Z]?[a-z]+(?: [a-z]+){3,}(?![\w./-])")
RUN_ON = re.compile(r"[a-z][.:;,](?=[A-Z][a-z])")  # two sentences with no blank between


def test_every_translatable_text_has_its_english() -> None:
    """A new text fails this until `make words` has added it to the catalogue and it is translated."""
    catalogue = read_catalogue()
    known = {(each.context, each.id): each for each in catalogue if each.id}
    wanted = {(each.context, each.id) for each in extracted() if each.id}
    assert [key for key in wanted if key not in known or not is_translated(known[key])] == []
    assert known.keys() - wanted == set(), "make words takes out what no source says any more"


@pytest.mark.slow
@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_every_page_is_in_the_language_of_its_reader(app: Flask) -> None:
    """Each page of each role and without an account, in both; entered data stays unchanged."""
    keys = furnish(app)
    with app.app_context(), access.everything() as session:
        begin_visit(session, account_of("publisher").id, Place(), Method.PASSWORD)
        session.commit()
    mixed, translations = [], {str(each.string) for each in read_catalogue() if each.id and "%" not in str(each.string)}
    sentences = {each for each in translations if len(each.split()) > 3}
    for username in EVERYBODY:
        browser = signed_in(app, username)
        browser.set_cookie(COOKIE, "en")
        english = pages(browser, *starts(username, keys))
        assert len(english) > 3, username
        data = data_in(app)
        for path, page in english.items():
            assert '<html lang="en">' in page, path
            wrong = chinese_in(page, data) + list(filter(RUN_ON.search, words_of(page)))
            mixed += [(username, path, words) for words in wrong]
        browser.delete_cookie(COOKIE)
        for path, page in pages(browser, *starts(username, keys)).items():
            assert '<html lang="zh-CN">' in page, path
            found = [
                words
                for words in words_of(page)
                if words in sentences or (SENTENCE.search(words) and path != "/handbook/")
            ]
            mixed += [(username, path, words) for words in found]
    assert list(dict.fromkeys(mixed)) == []


STORED = {
    (Operation.BACKED_UP, "备份"): "Backup",
    (Operation.KEY_INSTALLED, "510000.p12，CN=四川省新闻出版局，在密钥文件夹中首次发现"): (
        "510000.p12, CN=四川省新闻出版局, first found in the key folder"
    ),
    (Operation.DRILLED, "/srv/备份，核对一致"): "/srv/备份, everything agrees",
    (Operation.ACCOUNT_CHANGED, "姓名：“退出” → “王敏”"): "Name: “退出” → “王敏”",
}


def test_stored_sentences_of_the_system_are_read_in_english_and_exported_in_chinese(app: Flask) -> None:
    with app.app_context(), access.everything() as session:
        for kind, words in STORED:
            log.record(session, kind, None, Place(), words=words)
        session.commit()
    browser = signed_in(app, "operator")
    browser.set_cookie(COOKIE, "en")
    english = words_of(browser.get("/operations/").text)
    assert [words for words in STORED.values() if words not in english] == []
    exported = browser.get("/operations/export/csv/").text
    assert [words for _kind, words in STORED if words not in exported] == []


def test_what_customs_did_is_read_in_english_and_names_of_people_stay(app: Flask) -> None:
    key = create_application(app, "publisher", Status.CUSTOMS_RECEIVED, 2)
    browser = signed_in(app, "publisher")
    browser.set_cookie(COOKIE, "en")
    words = words_of(browser.get(f"/applications/details/?id={key}").text)
    assert "Customs" in words and "海关" not in words
    assert any("王敏" in each for each in words)
