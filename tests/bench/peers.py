"""The peers to compare with: Django's admin, and Flask-Admin without changes, on our table of applications.

`python -m tests.bench.peers django ADDRESS` reads names of pages, one a line, and answers each with the milliseconds
that the page took in that process, or with `-` where the peer has no such page. It runs in a virtual environment of
its own (`make bench` makes it), hence imports no code of it. Both read the table as it is, without row security.
"""

import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any
from urllib.parse import unquote, urlsplit

COLUMNS = {"number": 32, "title": 200, "publisher_name": 200, "province": 6, "status": 32}
STATUSES = ("draft", "pending", "returned", "not_accepted", "refused", "filed", "customs_received", "customs_failed",
            "revoked")  # fmt: skip
Pages = dict[str, Callable[[], None]]


def rows_of(address: str) -> dict[str, Any]:
    """Django's database settings for an address of SQLAlchemy."""
    parts = urlsplit(address)
    if parts.scheme == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": unquote(parts.path).removeprefix("/")}
    server = {"USER": parts.username, "HOST": parts.hostname, "PORT": parts.port}
    return {"ENGINE": "django.db.backends.postgresql", "NAME": parts.path.lstrip("/"), "CONN_MAX_AGE": None} | server


class Router:
    """Applications are in our database, Django's own tables in its memory."""

    def db_for_read(self, model: Any, **_hints: Any) -> str | None:
        return None if model._meta.managed else "rows"

    db_for_write = db_for_read


def configure(address: str) -> None:
    """Django with what its admin needs and nothing else."""
    import django
    from django.conf import settings

    contrib = "django.contrib"
    processors = ["django.template.context_processors.request", f"{contrib}.auth.context_processors.auth",
                  f"{contrib}.messages.context_processors.messages"]  # fmt: skip
    settings.configure(
        SECRET_KEY="bench", ALLOWED_HOSTS=["*"], ROOT_URLCONF="tests.bench.peers", USE_TZ=False, STATIC_URL="/static/",
        INSTALLED_APPS=[f"{contrib}.{name}" for name in ("admin", "auth", "contenttypes", "sessions", "messages")],
        MIDDLEWARE=[f"{contrib}.sessions.middleware.SessionMiddleware",
                    f"{contrib}.auth.middleware.AuthenticationMiddleware",
                    f"{contrib}.messages.middleware.MessageMiddleware"],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
                    "OPTIONS": {"context_processors": processors}}],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}, "rows": rows_of(address)},
        DATABASE_ROUTERS=["tests.bench.peers.Router"], LANGUAGE_CODE="zh-hans",
        SESSION_ENGINE=f"{contrib}.sessions.backends.signed_cookies", DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    )  # fmt: skip
    django.setup()


def django_admin(address: str) -> Pages:
    """Pages of Django's admin over our applications and their carriers."""
    configure(address)
    from django.contrib import admin
    from django.core.management import call_command
    from django.db import models
    from django.test import Client
    from django.urls import path

    texts = {name: models.CharField(max_length=most) for name, most in COLUMNS.items() if name != "status"}
    states = models.CharField(max_length=32, choices=[(word, word) for word in STATUSES])
    meta = {"app_label": "auth", "managed": False}
    fields = texts | {"status": states, "applied_on": models.DateField()}
    application_meta = type("Meta", (), meta | {"db_table": "application"})
    application = type("Application", (models.Model,), {"__module__": __name__, "Meta": application_meta, **fields})
    lines = {name: models.CharField(max_length=200) for name in ("kind", "specification", "quantity", "unit", "name")}
    lines["application"] = models.ForeignKey(application, models.CASCADE)
    carrier_meta = type("Meta", (), meta | {"db_table": "carrier"})
    carrier = type("Carrier", (models.Model,), {"__module__": __name__, "Meta": carrier_meta, **lines})
    inline = type("Carriers", (admin.TabularInline,), {"model": carrier})
    shown = {"list_display": list(fields), "list_filter": ["status"], "search_fields": ["title"], "list_per_page": 20}
    admin.site.register(
        application, type("Screen", (admin.ModelAdmin,), shown | {"ordering": ["-id"], "inlines": [inline]})
    )
    call_command("migrate", verbosity=0)
    globals()["urlpatterns"] = [path("admin/", admin.site.urls)]
    from django.contrib.auth.models import User

    client = Client()
    client.force_login(User.objects.create_superuser("a", "", "a"))
    draft = application.objects.filter(status=STATUSES[0]).order_by("-id").values_list("id", flat=True)[0]
    deep = min(250, -(-application.objects.count() // 20))  # it answers a page beyond its last with a redirect
    asked = {"list": "", "row 5,000": f"?p={deep}", "status": "?status__exact=customs_received", "by title": "?o=2",
             "common": "?q=花", "absent": "?q=鼍", "form": f"{draft}/change/"}  # fmt: skip
    return {name: opened(client, f"/admin/auth/application/{end}") for name, end in asked.items()}


def flask_admin(address: str) -> Pages:
    """Pages of Flask-Admin as it comes, over our applications."""
    from flask import Flask
    from flask_admin import Admin
    from flask_admin.contrib.sqla import ModelView
    from flask_babel import Babel
    from flask_sqlalchemy import SQLAlchemy

    app = Flask(__name__)
    app.config.update(SECRET_KEY="bench", SQLALCHEMY_DATABASE_URI=address)
    Babel(app, default_locale="zh_Hans_CN")
    db: Any = SQLAlchemy(app)
    columns = {name: db.Column(db.String(most)) for name, most in COLUMNS.items()}
    columns |= {"id": db.Column(db.Integer, primary_key=True), "applied_on": db.Column(db.Date)}
    model = type("Application", (db.Model,), {"__tablename__": "application", **columns})
    shown: dict[str, Any] = {"column_filters": ["status"], "column_searchable_list": ["title"], "page_size": 20}
    shown |= {"column_default_sort": ("id", True), "column_list": [*COLUMNS, "applied_on"]}
    Admin(app).add_view(type("Screen", (ModelView,), shown)(model, db))
    asked = {"list": "", "row 5,000": "?page=249", "status": "?flt1_0=customs_received", "by title": "?sort=1",
             "common": "?search=花", "absent": "?search=鼍"}  # fmt: skip
    return {name: opened(app.test_client(), f"/admin/application/{end}") for name, end in asked.items()}


def opened(client: Any, address: str) -> Callable[[], None]:
    """A function that opens the page and asserts status 200."""

    def call() -> None:
        assert client.get(address).status_code == 200, address

    return call


def answer(pages: Pages) -> None:
    """Read names of pages from stdin, and print the milliseconds of each."""
    for line in sys.stdin:
        page, took = pages.get(line.strip()), "-"
        if page:
            began = perf_counter()
            page()
            took = str((perf_counter() - began) * 1000)
        print(took, flush=True)


if __name__ == "__main__":
    from tests.bench import peers  # not __main__, which Django would import a second time for its addresses

    made = {"django": peers.django_admin, "flask-admin": peers.flask_admin}[sys.argv[1]](sys.argv[2])
    answer(made)
