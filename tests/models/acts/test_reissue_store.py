"""重新申请 is refused as a whole while the store is unavailable, and succeeds afterwards."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from models.acts import reissue
from models.application import Application
from models.application.attachments import Store
from models.database import db
from models.files.store_errors import StoreUnusable
from tests.conftest import ActAs, MakeApplication
from views.resources import store


def test_a_full_store_leaves_no_draft_without_its_files(
    app: Flask, act_as: ActAs, make_application: MakeApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found in attack: the draft was there with none of its files, and 重新申请 could not be repeated."""
    key = make_application(status="revoked")

    def full(*_args: object) -> None:
        raise StoreUnusable("存储空间不足")

    with act_as("publisher") as account:
        row = db.session.get_one(Application, key)
        with monkeypatch.context() as broken:
            broken.setattr(Store, "put", full)
            with pytest.raises(StoreUnusable):
                reissue.copy(db.session(), row, account, store())
        db.session.rollback()
        assert db.session.scalar(select(func.count()).select_from(Application)) == 1
        draft, left = reissue.copy(db.session(), row, account, store())
        assert (len(draft.current_attachments), left) == (len(row.current_attachments), [])
