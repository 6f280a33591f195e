"""Every setting with its default, and the application made of models and views."""

import os
import secrets
from copy import deepcopy
from pathlib import Path
from typing import Any

from flask import Flask

import views
from models.database import init_app as open_database

SETTINGS: dict[str, Any] = {
    # Signs the cookies. Left empty, one is made once and stored in instance/; several machines must share one.
    "SECRET_KEY": None,
    # SQLite beside the code; PostgreSQL when it grows: postgresql+psycopg://user@host/name
    "SQLALCHEMY_DATABASE_URI": "sqlite:///filing.sqlite",
    # A streaming replica of that PostgreSQL, from which the nation's pages are read as long as it lags by no more than
    # REPLICA_SECONDS; None: all is read from the primary (README: Past one machine).
    "REPLICA_URI": None,
    "REPLICA_SECONDS": 5,
    # Whether both addresses are those of PgBouncer in transaction mode.
    "DATABASE_POOLER": False,
    # Seconds that we wait for PostgreSQL, departures from Timeouts in models/database/postgresql.py:
    # {"statement": 60}, or FILING_DATABASE_TIMEOUTS__statement=60.
    "DATABASE_TIMEOUTS": {},
    # The store of attachments: a folder, relative to instance/, or s3://bucket/prefix (README: Running it for real).
    "STORE": "store",
    # The keys of the authorities, a folder (models/signing/keys.py says what lies in it); relative to instance/.
    "SIGNING_KEY": "keys",
    "SIGNING_PASSPHRASE": None,
    # The authority that stamps the time of signing into papers (RFC 3161), http://… or https://…, and the PEM file of
    # its roots, both or none. While it is away no paper is made; None: papers are signed without (PAdES B-B).
    "TSA": None,
    "TSA_CA": None,
    # The file of revocation lists of those who issued its certificates (PEM, or one in DER). With it, and 320000.crl in
    # the folder of keys, papers contain the lists (PAdES B-LT); without a current list no paper is made.
    "TSA_CRL": None,
    # Days that a certificate holds where 本省设置 names none; None states no end, for no public text names one.
    "VALID_DAYS": None,
    # 电子证照标识 beside our number, in details and metadata of papers: the code of the type (21 characters), and that
    # of each province's authority (FILING_LICENCE_ISSUERS__320000=…). A certificate keeps the one
    # that it was issued with; without them it has none.
    "LICENCE_TYPE": None,
    "LICENCE_ISSUERS": {},
    # Days for which a list of revoked certificates may be used offline.
    "STATUS_LIST_DAYS": 3,
    # The public address of this system: printed into the QR code of a certificate.
    "BASE_URL": "http://127.0.0.1:8000",
    # 验证码 at login: on, unless a single sign-on in front has already asked.
    "CAPTCHA": True,
    # Megabytes a file; our own default, roomier than customs' 4 MB a file, which later binds what is sent on.
    "ATTACHMENT_MB": 20,
    # Files an application may have, of each kind and in all; our own default, no public text names a number.
    "ATTACHMENTS_PER_KIND": 20,
    "ATTACHMENTS_IN_ALL": 100,
    # Files that may ever be uploaded to one, removed and replaced ones too: removed files stay on record.
    "ATTACHMENTS_EVER": 400,
    # Files that all processes of this machine inspect at the same time; each takes a processor, and up to 1 GB.
    "INSPECTIONS": 1,
    # clamd, which scans uploads for viruses: unix:/run/clamav/clamd.ctl or host:port; None: no scan, and pages say so.
    "CLAMD": None,
    # Transport to customs: folder:PATH (the boxes of an E-port client; relative to instance/), https://… or, on this
    # machine alone, http://…; None sends nothing. For https, PEM files: whom we trust, and our own certificate and key.
    "CUSTOMS_GATEWAY": None,
    "CUSTOMS_CA": None,
    "CUSTOMS_CLIENT": None,
    # E-port numbers of both sides, at most 16 characters.
    "CUSTOMS_SENDER": "FILING",
    "CUSTOMS_RECEIVER": "CUSTOMS",
    # Departures from Pace in models/customs/outbox.py: {"tries": 5}, or FILING_CUSTOMS_PACE__tries=5.
    "CUSTOMS_PACE": {},
    # Departures from Pace in models/certificate/paper_queue.py, for the workers that make papers.
    "PAPER_PACE": {},
    # The mail server, host or host:port; None sends no e-mail, and nobody is offered any. `SMTP_TLS`: starttls, tls
    # (from the beginning) or none; `SMTP_CA`: PEM file of whom we trust, None: as the system does.
    "SMTP": None,
    "SMTP_TLS": "starttls",
    "SMTP_CA": None,
    "SMTP_USER": None,
    "SMTP_PASSWORD": None,
    # The address that e-mails come from.
    "SMTP_FROM": None,
    # Departures from Pace in models/notifications/letters.py.
    "MAIL_PACE": {},
    # Whether reviewers and operators must sign in with a security key; None: yes, unless BASE_URL is this machine.
    # Keys answer for the host name of BASE_URL alone: with another name, all have to be enrolled anew.
    "KEYS_REQUIRED": None,
    # Signing in with the certificate on an IC card or IKey, all or none (README: Behind nginx): where nginx asks for
    # it, the secret by which we know nginx, PEM files of those who issue the cards, and of what they have revoked.
    "CARD_URL": None,
    "CARD_SECRET": None,
    "CARD_CA": None,
    "CARD_CRL": None,
    # The hash function by which new entries of the trail are sealed to the one before: sha256, or sm3 (GB/T 32905).
    "SEAL_ALGORITHM": "sha256",
    # Where `trail checkpoint` signs into (a folder, best on another machine), by which key file; None: nowhere, and no
    # check whether it does. Who is handed each one, commas between: folders, mailto:address, https://address#KEY of a
    # witness that cosigns. PEM file of whom TLS to such a one trusts; None: as the system does.
    "CHECKPOINTS": None,
    "CHECKPOINT_KEY": None,
    "WITNESSES": None,
    "WITNESS_CA": None,
    # To cosign the checkpoints of other registers, all or none (README: Trust): where they are stored,
    # by which key file, and the public keys of those registers, commas between.
    "WITNESS_FOLDER": None,
    "WITNESS_KEY": None,
    "WITNESS_LOGS": None,
    # From which addresses or networks nginx hands on what it knows of a card; a Unix socket always may.
    "CARD_FROM": "127.0.0.1,::1",
    # One-point access (单点登录) from 单一窗口 by OpenID Connect (README: Running it for real): issuer of its portal,
    # and what it has registered us under; without them it is off. PEM file of whom we trust, None: as the system does.
    "PORTAL_ISSUER": None,
    "PORTAL_CLIENT_ID": None,
    "PORTAL_CLIENT_SECRET": None,
    "PORTAL_CA": None,
    "PORTAL_SCOPE": "openid profile",
    # The claims that name somebody's organisation, and its 统一社会信用代码: an account is suggested by it.
    "PORTAL_ORGANISATION": "organization",
    "PORTAL_CREDIT_CODE": "credit_code",
    # Values of acr or amr, separated by commas, that replace the security key when the portal sends them; None: none.
    "PORTAL_LEVELS": None,
    # Minutes without a click after which a session ends.
    "SESSION_MINUTES": 30,
    # Seconds after which a form that is being filled in keeps what was typed (自动保存); 0: only 保存 does.
    "AUTOSAVE_SECONDS": 10,
    # Hours after which a session ends, also when in use.
    "SESSION_HOURS": 12,
    # Seconds within which a request has to arrive; each 16 KB of it adds another (views/entrance/server.py).
    "REQUEST_SECONDS": 20,
    # Format of the log on stderr: plain, or json (one object a line).
    "LOG_FORMAT": "plain",
    # Milliseconds after which a database statement is logged as slow; 0: none is.
    "SLOW_STATEMENT_MS": 0,
    # What Prometheus must send (Authorization: Bearer …) to read /metrics; None: there is no such address.
    "METRICS_TOKEN": None,
    # From where, besides: addresses or networks, commas between; empty: from anywhere.
    "METRICS_ADDRESSES": "",
    # Who may see /healthz?details without signing in as 系统管理员: addresses or networks, commas between.
    "HEALTH_ADDRESSES": "127.0.0.1,::1",
    # Where requests are counted for rate limits: memory (each process by itself), or redis://… for all processes.
    "RATELIMIT_STORAGE_URI": "memory://",
    # Reverse proxies in front of us, one behind the other; and from which addresses or networks they reach us: from
    # anywhere else X-Forwarded-* headers are not believed.
    "PROXIES": 0,
    "PROXY_ADDRESSES": "127.0.0.1,::1",
    # Host names we answer to, commas between. Required unless BASE_URL is this machine; then its own names will do.
    "TRUSTED_HOSTS": None,
    # Cookies only over https; switch on wherever there is TLS.
    "SESSION_COOKIE_SECURE": False,
    "SESSION_COOKIE_NAME": "filing",
    "SESSION_COOKIE_SAMESITE": "Lax",
    "BABEL_DEFAULT_LOCALE": "zh_Hans_CN",
    "BABEL_DEFAULT_TIMEZONE": "Asia/Shanghai",
    "WTF_CSRF_TIME_LIMIT": None,
    "FLASK_ADMIN_RAISE_ON_VIEW_EXCEPTION": True,
    "PROVIDE_AUTOMATIC_OPTIONS": False,
}


def own_secret(folder: Path) -> str:
    """The key stored in `folder`; created by the first process that starts."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "secret_key"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return path.read_text()


def create_app(overrides: dict[str, Any] | None = None) -> Flask:
    """The application; `overrides` win over FILING_<NAME> in the environment, which wins over SETTINGS."""
    app = Flask(__name__, static_folder="templates/static", static_url_path="/assets")
    app.config.from_mapping(deepcopy(SETTINGS))  # the environment is written into the dictionaries among them
    app.config.from_prefixed_env("FILING")
    app.config.from_mapping(overrides or {})
    views.settings.check(app.config, SETTINGS)
    for name in ("STORE", "SIGNING_KEY"):
        if "://" not in app.config[name]:
            app.config[name] = str(Path(app.instance_path) / app.config[name])  # an absolute path stays as it is
    app.config["MAX_CONTENT_LENGTH"] = (app.config["ATTACHMENT_MB"] + 1) << 20
    with views.settings.errors_in_a_sentence():
        app.config["SECRET_KEY"] = app.config["SECRET_KEY"] or own_secret(Path(app.instance_path))
        open_database(app)
    views.init_app(app)
    return app
