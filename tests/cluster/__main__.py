"""`make cluster`: two nodes and their services on this machine; then one service after the other is killed.

`python -m tests.cluster [FIRST_PORT] [WRITERS]`: eleven ports from the first one. Nothing that was acknowledged may be
lost or stored twice; what readers and writers saw meanwhile is printed. This program does what Patroni would do: it
promotes the standby, and stops commits from waiting for a standby that is down. The folder with databases,
configuration files and logs is kept only if something went wrong.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select

from models import access
from models.people.accounts import Account
from models.people.mail_address import MailWish
from tests.apps import prepare_app
from tests.cluster.callers import Callers
from tests.cluster.judging import FLASK, judged
from tests.cluster.services import Database, Service, answers, bucket, nginx, pooled, redis, until
from tests.serving import Server
from tests.views.mail_server import LocalMailServer

CALM = 8.0  # seconds between two failures
GUNICORN = [str(Path(sys.executable).with_name("gunicorn")), "--config", "python:views.entrance.server"]


class Cluster:
    """All services by name; `settings` are those of each node."""

    def __init__(self, folder: Path, first: int) -> None:
        self.folder, self.ports = folder, dict(zip("abpmrsnxycz", range(first, first + 11), strict=True))
        port = self.ports
        self.one, self.two = Database(folder, "one", port["a"]), Database(folder, "two", port["b"])
        self.pooler = pooled(folder, port["p"], port["a"])
        self.around = [redis(folder, port["r"]), bucket(folder, port["s"]), self.pooler]
        self.mail = LocalMailServer(folder)
        self.front = nginx(folder, port["n"], [port["x"], port["y"]])
        endpoint = f"http://127.0.0.1:{port['s']}"
        bucket_settings = {"AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": "true"}
        keys = {"AWS_ACCESS_KEY_ID": "filing", "AWS_SECRET_ACCESS_KEY": "filing"}
        os.environ.update(bucket_settings | keys | {f"FILING_{k}": json.dumps(v) for k, v in self.settings().items()})

    def settings(self) -> dict[str, Any]:
        port = self.ports
        return {
            "SQLALCHEMY_DATABASE_URI": f"postgresql+psycopg://postgres@127.0.0.1:{port['p']}/filing",
            "REPLICA_URI": f"postgresql+psycopg://postgres@127.0.0.1:{port['b']}/filing",
            "DATABASE_POOLER": True,
            "RATELIMIT_STORAGE_URI": f"redis://127.0.0.1:{port['r']}/0",
            "STORE": "s3://filing/store",
            "SIGNING_KEY": str(self.folder / "keys"),
            "SECRET_KEY": "the same on every node, and longer than this",
            "BASE_URL": f"http://localhost:{port['n']}",
            "CUSTOMS_GATEWAY": f"http://127.0.0.1:{port['c']}",
            "CUSTOMS_PACE": {"pause": 1, "lease": 20},
            "PAPER_PACE": {"lease": 20},
            "MAIL_PACE": {"pause": 1, "lease": 20},
            "SMTP": self.mail.address,
            "SMTP_TLS": "none",
            "SMTP_FROM": "filing@example.cn",
            "PROXIES": 1,
        }

    def build(self) -> Flask:
        """Databases, pooler, Redis and bucket, and the register in them; the application in this process."""
        self.one.create()
        self.one.begin()
        self.one.ask("CREATE DATABASE filing")
        for service in self.around:
            service.start()
        until("around", lambda: all(answers(self.ports[name]) for name in "prs"))
        subprocess.run(["curl", "-sfX", "PUT", f"http://127.0.0.1:{self.ports['s']}/filing"], check=True)
        app = prepare_app(self.settings()["SQLALCHEMY_DATABASE_URI"], self.folder)
        app.config.update(self.settings() | {"CAPTCHA": True})
        with app.app_context(), access.everything() as session:
            for person in session.scalars(select(Account).where(Account.username.in_(("publisher", "reviewer")))):
                person.email, person.mail_wish = f"{person.username}@example.cn", MailWish.EACH
            session.commit()
        self.two.create(standby_of=self.one)
        self.two.begin()
        self.one.wait_for("two")
        return app

    def node(self, name: str) -> dict[str, Service]:
        """Pages, a deliverer, a sender of e-mails and a worker for papers, as each node has them."""
        bind = ["--bind", f"127.0.0.1:{self.ports[name]}"]
        commands = {
            "pages": [*GUNICORN, *bind],
            "deliverer": [*FLASK, "customs", "deliver", "--watch"],
            "mail": [*FLASK, "mail", "send", "--watch"],
            "worker": [*FLASK, "certificate", "work", "--watch"],
        }
        return {what: Service(self.folder, f"{name}-{what}", command) for what, command in commands.items()}

    def start(self) -> None:
        customs = [*FLASK, "customs", "simulate", "--port", str(self.ports["c"])]
        self.customs = Service(self.folder, "customs", [*customs, "--ledger", str(self.folder / "customs.sqlite")])
        self.customs.start()
        self.mail.controller.start()
        self.nodes = {name: self.node(name) for name in "xy"}
        for service in self.services():
            service.start()
        self.front.start()
        until("nodes", lambda: all(answers(self.ports[name]) for name in "xyn"))

    def services(self) -> list[Service]:
        return [service for node in self.nodes.values() for service in node.values()]

    def stop(self) -> None:
        everything = self.services() if hasattr(self, "nodes") else []
        for service in [*everything, getattr(self, "customs", self.front), self.front, *self.around]:
            service.kill()
        for database in (self.two, self.one):
            database.stop()
        self.mail.close()

    def kill_node(self) -> None:
        """Kill all processes of one node; the other continues alone."""
        for service in self.nodes["x"].values():
            service.kill()
        time.sleep(CALM / 2)
        for service in self.nodes["x"].values():
            service.start()

    def kill(self, what: str) -> None:
        """Kill this service on both nodes for a second."""
        for node in self.nodes.values():
            node[what].kill()
        time.sleep(1)
        for node in self.nodes.values():
            node[what].start()

    def kill_replica(self) -> None:
        """Commits wait for the replica until it is removed from synchronous_standby_names, as Patroni would do."""
        self.two.kill()
        time.sleep(3)
        self.one.wait_for("")

    def bring_back_replica(self) -> None:
        self.two.begin()
        until("streaming", lambda: self.one.ask("SELECT count(*) FROM pg_stat_replication") == 1)
        self.one.wait_for("two")

    def kill_primary(self) -> None:
        """Kill the primary; promote the replica, and let the pooler connect to it."""
        self.one.kill()
        time.sleep(2)
        self.two.ask("SELECT pg_promote()")
        self.two.wait_for("")
        pooled(self.folder, self.ports["p"], self.ports["b"])
        assert self.pooler.process is not None
        os.kill(self.pooler.process.pid, signal.SIGHUP)

    def bring_back_primary(self) -> None:
        """Let the former primary discard what it alone has written, and follow the new one."""
        self.one.rewind(self.two)
        self.one.begin()
        until("streaming", lambda: self.two.ask("SELECT count(*) FROM pg_stat_replication") == 1)
        self.two.wait_for("one")

    def kill_redis(self) -> None:
        self.around[0].kill()
        time.sleep(2)
        self.around[0].start()


def trial(cluster: Cluster, callers: Callers) -> None:
    """Kill one service after the other; report the answers between two failures."""
    blows: dict[str, Callable[[], object]] = {
        "nothing": lambda: None,
        "a whole node killed": cluster.kill_node,
        "both deliverers killed": lambda: cluster.kill("deliverer"),
        "both paper workers killed": lambda: cluster.kill("worker"),
        "both mail senders killed": lambda: cluster.kill("mail"),
        "Redis killed": cluster.kill_redis,
        "the replica killed": cluster.kill_replica,
        "the replica is back": cluster.bring_back_replica,
        "the primary killed, replica promoted": cluster.kill_primary,
        "the former primary is the replica": cluster.bring_back_primary,
    }
    for name, blow in blows.items():
        began = time.monotonic()
        blow()
        time.sleep(CALM)
        callers.report(began, name)


def main(first: int = 8170, writers: int = 2) -> int:
    folder = Path(tempfile.mkdtemp(prefix="filing-cluster-"))
    shutil.chown(folder, "postgres")
    cluster = Cluster(folder, first)
    fine = False
    try:
        app = cluster.build()
        cluster.start()
        address = f"http://127.0.0.1:{cluster.ports['n']}"
        process: Any = cluster.front.process
        callers = Callers(Server(app, address, folder / "nginx.log", process))
        threads = callers.begin(writers)
        try:
            trial(cluster, callers)
        finally:
            callers.on = False
        for thread in threads:
            thread.join()
        fine = judged(app, callers, cluster.mail)
        return not fine
    finally:
        cluster.stop()
        if fine:
            shutil.rmtree(folder)
        else:
            print(f"databases, configuration files and logs: {folder}")


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
