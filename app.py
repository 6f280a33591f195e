"""Every setting with its default, and the application made of models and views."""

import fcntl
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
    # Seconds that we wait for PostgreSQL; overrides the defaults of Timeouts in models/database/postgresql.py:
    # {"statement": 60}, or FILING_DATABASE_TIMEOUTS__statement=60.
    "DATABASE_TIMEOUTS": {},
    # The store of attachments: a folder, relative to instance/, or s3://bucket/prefix (运行手册, 附件存储).
    "STORE": "store",
    # The keys of the authorities, a folder (models/signing/keys.py says what lies in it); relative to instance/.
    "SIGNING_KEY": "keys",
    "SIGNING_PASSPHRASE": None,
    # The authority that stamps the time of signing into papers (RFC 3161), http://… or https://…, and the PEM file of
    # its roots, both or none. While it does not answer no paper is made; None: papers have no time stamp (PAdES B-B).
    "TSA": None,
    "TSA_CA": None,
    # The file of revocation lists of those who issued its certificates (PEM, or one in DER). With it, and the lists of
    # the province (320000.crl) in the folder of keys, papers contain them (PAdES B-LT), and none is made without a
    # current list.
    "TSA_CRL": None,
    # Days for which a certificate is valid where 本省设置 names none; None: without end, for no public text names one.
    "VALID_DAYS": None,
    # 电子证照标识 beside our number, in details and metadata of papers: the code of the type (21 characters), and that
    # of each province's authority (FILING_LICENCE_ISSUERS__320000=…). A certificate keeps the identifier that it was
    # issued with; one that was issued while these are not set has none.
    "LICENCE_TYPE": None,
    "LICENCE_ISSUERS": {},
    # Days for which a list of revoked certificates may be used offline.
    "STATUS_LIST_DAYS": 3,
    # The public address of this system: printed into the QR code of a certificate.
    "BASE_URL": "http://127.0.0.1:8000",
    # 验证码 at login: on, unless a single sign-on in front has already asked.
    "CAPTCHA": True,
    # Megabytes a file; our own default. Customs accepts 4 MB a file, a limit for attachments that are sent there.
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
    # machine alone, http://…; None: nothing is sent. For https, PEM files: the trusted roots (None: the system's), and
    # our own certificate and key.
    "CUSTOMS_GATEWAY": None,
    "CUSTOMS_CA": None,
    "CUSTOMS_CLIENT": None,
    # E-port numbers of both sides, at most 16 characters.
    "CUSTOMS_SENDER": "FILING",
    "CUSTOMS_RECEIVER": "CUSTOMS",
    # Overrides the defaults of Pace in models/customs/outbox.py: {"tries": 5}, or FILING_CUSTOMS_PACE__tries=5.
    "CUSTOMS_PACE": {},
    # Overrides the defaults of Pace in models/certificate/paper_queue.py, for the workers that make papers.
    "PAPER_PACE": {},
    # The mail server, host or host:port; None sends no e-mail, and nobody is offered any. `SMTP_TLS`: starttls, tls
    # (from the beginning) or none; `SMTP_CA`: PEM file of the roots; None: the system's.
    "SMTP": None,
    "SMTP_TLS": "starttls",
    "SMTP_CA": None,
    "SMTP_USER": None,
    "SMTP_PASSWORD": None,
    # The address that e-mails come from.
    "SMTP_FROM": None,
    # Overrides the defaults of Pace in models/notifications/letters.py.
    "MAIL_PACE": {},
    # Whether reviewers and operators must sign in with a security key; None: yes, unless BASE_URL is this machine.
    # A key works only at the host name of BASE_URL: after a change of that name, all have to be enrolled anew.
    "KEYS_REQUIRED": None,
    # Signing in with the certificate on an IC card or IKey, all or none (README: Behind nginx): the address at which
    # nginx asks for the card, the secret that nginx sends, PEM files of the issuers of cards, and of their revocation
    # lists.
    "CARD_URL": None,
    "CARD_SECRET": None,
    "CARD_CA": None,
    "CARD_CRL": None,
    # Addresses or networks from which the headers of nginx about a card are believed, besides any Unix socket.
    "CARD_FROM": "127.0.0.1,::1",
    # The hash function by which new entries of trail and log are sealed to the one before: sha256, or sm3 (GB/T 32905).
    "SEAL_ALGORITHM": "sha256",
    # The folder of the checkpoints that `trail checkpoint` signs, best on another machine, and the file of the key;
    # None: /healthz does not check that they are signed. The witnesses that each is given to, commas between: folders,
    # mailto:address, https://address#KEY (one that cosigns). PEM file of the roots for these; None: the system's.
    "CHECKPOINTS": None,
    "CHECKPOINT_KEY": None,
    "WITNESSES": None,
    "WITNESS_CA": None,
    # To cosign the checkpoints of other registers, all or none (README: Trust): the folder where they are stored, the
    # file of the key, and the public keys of those registers, commas between.
    "WITNESS_FOLDER": None,
    "WITNESS_KEY": None,
    "WITNESS_LOGS": None,
    # One-point access (单点登录) from 单一窗口 by OpenID Connect (运行手册, 登录): issuer of its portal,
    # and id and secret of our registration there; without them it is off. PEM file of the roots; None: the system's.
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
    # Minutes without a request after which a session ends.
    "SESSION_MINUTES": 30,
    # Seconds after which a form that is being filled in keeps what was typed (自动保存); 0: only 保存 does.
    "AUTOSAVE_SECONDS": 10,
    # Hours after sign-in at which a session ends, even when in use.
    "SESSION_HOURS": 12,
    # Seconds within which a request has to arrive; each 16 KB of it adds another (views/entrance/server.py).
    "REQUEST_SECONDS": 20,
    # Format of the log on stderr: plain, or json (one object a line).
    "LOG_FORMAT": "plain",
    # Milliseconds after which a database statement is logged as slow; 0: none is.
    "SLOW_STATEMENT_MS": 0,
    # What Prometheus must send (Authorization: Bearer …) to read /metrics; None: there is no such address.
    "METRICS_TOKEN": None,
    # Addresses or networks that may read /metrics with that token, commas between; empty: any.
    "METRICS_ADDRESSES": "",
    # Who may see /healthz?details without signing in as 系统管理员: addresses or networks, commas between.
    "HEALTH_ADDRESSES": "127.0.0.1,::1",
    # Where requests are counted for rate limits: memory (each process by itself), or redis://… for all processes.
    "RATELIMIT_STORAGE_URI": "memory://",
    # Number of reverse proxies in a row before this system, and the addresses or networks that they come from: from any
    # other address X-Forwarded-* headers are ignored.
    "PROXIES": 0,
    "PROXY_ADDRESSES": "127.0.0.1,::1",
    # Host names that are answered, commas between. Required unless BASE_URL is this machine (default: its own names).
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
    """The secret key stored in `folder`; created by the first process that starts."""
    folder.mkdir(parents=True, exist_ok=True)
    path, new = folder / "secret_key", folder / "secret_key-new"
    if path.exists() and path.stat().st_size:
        return path.read_text()
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.stat().st_size:  # no other process was first
            new.unlink(missing_ok=True)  # of one that was killed
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(32))
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)  # never half written
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
