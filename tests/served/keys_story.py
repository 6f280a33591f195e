"""Acts with security keys, through the real server."""

import json
import re
from typing import Any

from sqlalchemy import text

from models.database import db
from tests.authenticator import Authenticator
from tests.cast import PASSWORD
from tests.served.answers import check
from tests.serving import Client


def keys_enrolled_used_and_removed(story: Any) -> None:
    """A publisher enrols a key, signs in with it, alone and as second step; an operator issues a code, removes it."""
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
    client = Client(server)
    client.sign_in("publisher2")
    key = Authenticator(server.app.config["BASE_URL"])
    asked = json.loads(client.post("/keys/options/").body)
    client.post("/keys/add/", {"credential": key.create(asked), "name": "第二把"})
    story.post(client, "/keys/remove/", id=number + 1)
    story.done |= {"card_login", "accounts.bind_card", "accounts.remove_card"}  # behind nginx: test_cards.py
    story.done.add("witness")  # views/terminal/test_cosigning.py
    story.done |= {"portal_logout", "portal.link", "portal.decline", "accounts.unlink"}  # browser/test_portal.py


def keys_of_programs(story: Any) -> None:
    """接口密钥: two created and used through the server; one revoked by its owner, one by the operator."""
    owner, nobody = Client(story.server), Client(story.server)
    owner.sign_in("publisher")
    tokens = []
    for name in ("综合业务系统", "统计程序"):
        story.post(owner, "/apikeys/make/", name=name, days="30", networks="127.0.0.0/8")
        tokens += re.findall(r"filing_[\w-]{43}", owner.get("/apikeys/").text)
    with story.server.app.app_context(), db.engine.connect() as connection:
        first, second = connection.scalars(text("SELECT id FROM api_key ORDER BY id")).all()
    page = nobody.get("/api/v1/applications?limit=2&title=茉莉", Authorization=f"Bearer {tokens[1]}")
    check("/api/v1/applications", page)
    following = nobody.get(page.headers["Link"].partition(">")[0][1:], Authorization=f"Bearer {tokens[1]}")
    numbers = [item["number"] for answer in (page, following) for item in json.loads(answer.body)["items"]]
    assert len(numbers) == len(set(numbers)) > 2
    story.post(owner, "/apikeys/end/", id=second)
    story.post("operator", "/accounts/api-keys/end/", id=first)
    ended = [nobody.get("/api/v1/key", Authorization=f"Bearer {token}").status for token in tokens]
    assert ended == [401, 401]
