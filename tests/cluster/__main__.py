"""`make cluster`: two nodes and their services on this machine; then one service after the other is killed.

`python -m tests.cluster [FIRST_PORT] [WRITERS]`: sixteen ports from the first one. Nothing that was acknowledged may be
lost or stored twice; what readers and writers saw meanwhile is printed. Patroni promotes the standby, and stops commits
from waiting for a standby that is down. The folder with databases, configuration files and logs is kept only if
something went wrong.
"""

import json
import os
import shutil
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
from tests.cluster.patroni import Etcd, Machine
from tests.cluster.services import Service, answers, ask, bucket, nginx, redis, until
from tests.serving import Server
from tests.views.mail_server import LocalMailServer

CALM = 8.0  # seconds between two failures
NO_ETCD = 30.0  # seconds without etcd: longer than Patroni's ttl
GUNICORN = [str(Path(sys.executable).with_name("gunicorn")), "--config", "python:views.entrance.server"]


class Cluster:
    """All services by name; `settings` are those of each node."""

    def __init__(self, folder: Path, first: int) -> None:
        self.folder, self.ports = folder, dict(zip("abpqrsnxyc", range(first, first + 10), strict=True))
        port = self.ports
        members = {name: (first + 10 + place, first + 13 + place) for place, name in enumerate(("one", "two", "three"))}
        self.one = Machine(folder, "one", port["a"], port["p"], members)
        self.two = Machine(folder, "two", port["b"], port["q"], members)
        self.third = Etcd(folder, "three", members)
        self.around = [redis(folder, port["r"]), bucket(folder, port["s"]), self.third]
        self.mail = LocalMailServer(folder)
        self.front = nginx(folder, port["n"], [port["x"], port["y"]])
        endpoint = f"http://127.0.0.1:{port['s']}"
        bucket_settings = {"AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": "true"}
        keys = {"AWS_ACCESS_KEY_ID": "filing", "AWS_SECRET_ACCESS_KEY": "filing"}
        os.environ.update(bucket_settings | keys | {f"FILING_{k}": json.dumps(v) for k, v in self.settings().items()})

    def settings(self) -> dict[str, Any]:
        port = self.ports
        both = f"host=127.0.0.1,127.0.0.1&port={port['a']},{port['b']}"
        return {
            "SQLALCHEMY_DATABASE_URI": f"postgresql+psycopg://postgres@/filing?{both}&target_session_attrs=read-write",
            "REPLICA_URI": f"postgresql+psycopg://postgres@/filing?{both}&target_session_attrs=standby",
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
        """Databases, Redis and bucket, and the register in them; the application in this process."""
        for service in (*self.around, self.one.etcd, self.two.etcd, self.one.patroni):
            service.start()
        until("a leader", lambda: self.one.leads())
        ask(self.one.port, "CREATE DATABASE filing")
        until("around", lambda: all(answers(self.ports[name]) for name in "rs"))
        subprocess.run(["curl", "-sfX", "PUT", f"http://127.0.0.1:{self.ports['s']}/filing"], check=True)
        app = prepare_app(self.settings()["SQLALCHEMY_DATABASE_URI"], self.folder)
        app.config.update(self.settings() | {"CAPTCHA": True})
        with app.app_context(), access.everything() as session:
            for person in session.scalars(select(Account).where(Account.username.in_(("publisher", "reviewer")))):
                person.email, person.mail_wish = f"{person.username}@example.cn", MailWish.EACH
            session.commit()
        self.two.patroni.start()
        until("replica", lambda: self.two.has_role("synchronous"))
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
        for machine in (self.two, self.one):
            machine.stop()
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
        """Commits wait for the replica until Patroni notices."""
        self.lost = self.two if self.one.leads() else self.one
        self.lost.kill()

    def kill_leader(self) -> None:
        """Kill the machine of the leader; wait until Patroni has promoted the replica."""
        self.lost, other = (self.one, self.two) if self.one.leads() else (self.two, self.one)
        began = time.monotonic()
        self.lost.kill()
        until("promoted", lambda: other.leads())
        print(f"  promoted after {time.monotonic() - began:.1f} s")

    def bring_back(self) -> None:
        """Start the machine that was lost; it becomes the replica for which commits wait."""
        self.lost.start()
        until("replica again", lambda: self.lost.has_role("synchronous"))

    def kill_leaders_postgresql(self) -> None:
        """Patroni, which goes on, starts it again."""
        leader = self.one if self.one.leads() else self.two
        leader.kill_postgresql()
        time.sleep(1)
        until("started again", lambda: leader.leads())

    def kill_etcd(self) -> None:
        """Without etcd for longer than ttl: the leader continues while it reaches the other Patroni."""
        members = (self.one.etcd, self.two.etcd, self.third)
        for member in members:
            member.kill()
        time.sleep(NO_ETCD)
        for member in members:
            member.start()

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
        "all of etcd killed": cluster.kill_etcd,
        "the replica's machine killed": cluster.kill_replica,
        "the replica is back": cluster.bring_back,
        "the leader's PostgreSQL killed": cluster.kill_leaders_postgresql,
        "the leader's machine killed": cluster.kill_leader,
        "the former leader is the replica": cluster.bring_back,
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
