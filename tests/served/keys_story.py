"""What is done with security keys, through the real server."""

import json
from typing import Any

from sqlalchemy import text

from models.database import db
from tests.authenticator import Authenticator
from tests.cast import PASSWORD
from tests.serving import Client


def keys_enrolled_used_and_removed(story: Any) -> None:
    """A publisher enrols a key, signs in by it alone and as a second step; an operator gives a code, removes it."""
    server = story.server
    owner, alone, twice = (Client(server) for _time in range(3))
    owner.sign_in("publisher2")
    key = Authenticator(server.app.config["BASE_URL"])
    asked = json.loads(story.post(owner, "/keys/options/", 200).body)
    story.post(owner, "/keys/add/", credential=key.create(asked), name="办公室密钥")
    asked = json.loads(story.post(alone, "/login/key/options", 200).body)
    story.post(alone, "/login/key", credential=key.get(asked))
    alone.token = ""
    assert alone.get("/visits/").status == 200
    twice.get("/login"), twice.get("/captcha.png")
    code = server.code(twice.cookies["filing"])
    answer = twice.post("/login", {"username": "publisher2", "password": PASSWORD, "code": code})
    assert answer.location == "/login/confirm"
    asked = json.loads(story.post(twice, "/login/confirm/options", 200).body)
    story.post(twice, "/login/confirm", credential=key.get(asked))
    with server.app.app_context(), db.engine.connect() as connection:
        found = "SELECT id, account_id FROM security_key ORDER BY id DESC"
        number, account = connection.execute(text(found)).first() or (0, 0)
    story.post("operator", "/accounts/keys/code/", id=account)
    story.post("operator", "/accounts/keys/remove/", id=number)
    assert alone.get("/visits/").location.startswith("/login")
    mine = Client(server)
    mine.sign_in("publisher2")
    key = Authenticator(server.app.config["BASE_URL"])
    asked = json.loads(mine.post("/keys/options/").body)
    mine.post("/keys/add/", {"credential": key.create(asked), "name": "第二把"})
    story.post(mine, "/keys/remove/", id=number + 1)
    story.done |= {"card_login", "accounts.bind_card", "accounts.remove_card"}  # behind nginx: test_cards.py
