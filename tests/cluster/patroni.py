"""Machines of a database that Patroni looks after: each runs PostgreSQL, Patroni and a member of etcd.

A third machine has etcd alone, so that two of three can still agree once one is lost.
"""

import os
import signal
import subprocess
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import psycopg

from tests.cluster.services import BIN, Service, ask, until

ETCD = """
name: {name}
data-dir: {folder}/etcd-{name}
listen-client-urls: http://127.0.0.1:{client}
advertise-client-urls: http://127.0.0.1:{client}
listen-peer-urls: http://127.0.0.1:{peer}
initial-advertise-peer-urls: http://127.0.0.1:{peer}
initial-cluster: {members}
enable-grpc-gateway: true                # off where a file has the settings; Patroni asks through it
"""
# `bootstrap` counts only when the cluster is made; later: patronictl edit-config.
PATRONI = """
scope: filing
name: {name}
etcd3:
  hosts: {etcd}
restapi:
  listen: 127.0.0.1:{rest}
  connect_address: 127.0.0.1:{rest}
bootstrap:
  dcs:
    ttl: 20                             # seconds after which a silent leader is replaced
    loop_wait: 3
    retry_timeout: 5
    synchronous_mode: true              # a commit waits for the standby, and no other one is promoted
    failsafe_mode: true                 # without etcd the leader continues while it reaches all members
    postgresql:
      use_pg_rewind: true
      parameters:
        wal_log_hints: "on"             # for pg_rewind, which reads back to the last common checkpoint
        wal_keep_size: 256MB
        max_standby_streaming_delay: 5s # a page of the replica is given up rather than let it lag
  initdb:
    - encoding: UTF8
    - locale: C.UTF-8
postgresql:
  listen: 127.0.0.1:{port}
  connect_address: 127.0.0.1:{port}
  data_dir: {folder}/{name}
  bin_dir: {programs}
  pgpass: {folder}/{name}.pgpass
  basebackup:
    - checkpoint: fast
  authentication:
    superuser: {{username: postgres}}
    replication: {{username: postgres}}
  parameters:
    unix_socket_directories: {folder}
  pg_hba:
    - host all all 127.0.0.1/32 trust
    - host replication all 127.0.0.1/32 trust
"""


class Etcd(Service):
    """A member of etcd; `members`: the ports of all by name, for clients and for each other."""

    def __init__(self, folder: Path, name: str, members: dict[str, tuple[int, int]]) -> None:
        client, peer = members[name]
        listed = ",".join(f"{other}=http://127.0.0.1:{port}" for other, (_, port) in members.items())
        path = folder / f"etcd-{name}.yml"
        path.write_text(ETCD.format(name=name, folder=folder, client=client, peer=peer, members=listed))
        super().__init__(folder, f"etcd-{name}", ["etcd", "--config-file", str(path)], unprivileged=True)


def found(*words: str) -> list[int]:
    """The processes that pgrep finds."""
    return [int(line) for line in subprocess.run(["pgrep", *words], stdout=subprocess.PIPE).stdout.split()]


class Machine:
    """One machine: PostgreSQL on `port`, and Patroni, which answers on `rest`."""

    def __init__(self, folder: Path, name: str, port: int, rest: int, members: dict[str, tuple[int, int]]) -> None:
        self.name, self.port, self.rest, self.data = name, port, rest, folder / name
        self.etcd = Etcd(folder, name, members)
        etcd = ",".join(f"127.0.0.1:{client}" for client, _ in members.values())
        path = folder / f"patroni-{name}.yml"
        path.write_text(
            PATRONI.format(name=name, folder=folder, port=port, rest=rest, etcd=etcd, programs=BIN[0]), encoding="utf-8"
        )
        # Patroni stops PostgreSQL on SIGTERM: nothing is left if this program dies.
        self.patroni = Service(folder, f"patroni-{name}", ["/usr/bin/patroni", str(path)], True, orphaned="TERM")

    def start(self) -> None:
        self.etcd.start()
        self.patroni.start()

    def has_role(self, what: str) -> bool:
        """Whether Patroni answers 200 for this: primary, replica, synchronous (a standby for which commits wait)."""
        try:
            return self.status(what) == 200
        except OSError:
            return False

    def leads(self) -> bool:
        """Whether it has the lock and takes writes: the lock comes first."""
        try:
            return self.has_role("primary") and bool(ask(self.port, "SELECT NOT pg_is_in_recovery()"))
        except psycopg.OperationalError:
            return False

    def status(self, what: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.rest}/{what}", timeout=2) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            return refused.code

    def kill_postgresql(self, how: int = signal.SIGKILL) -> None:
        """Kill the server with all its processes; nothing if it is not running."""
        for postmaster in self._postmasters():
            children = found("-P", str(postmaster)) if how == signal.SIGKILL else []
            for process in [postmaster, *children]:
                with suppress(ProcessLookupError):
                    os.kill(process, how)

    def _postmasters(self) -> list[int]:
        """The process of this server, which Patroni starts in a session of its own; [] if it is not running."""
        return found("-fo", f"^{BIN[0]}/postgres -D {self.data} ")

    def kill(self) -> None:
        """Kill everything at once, as when the machine loses its power."""
        self.patroni.kill()
        self.kill_postgresql()
        self.etcd.kill()

    def stop(self) -> None:
        """As kill(), but PostgreSQL gets SIGQUIT: SIGKILL would leave shared memory behind."""
        self.patroni.kill()
        self.kill_postgresql(signal.SIGQUIT)
        until("PostgreSQL ended", lambda: not self._postmasters())
        self.etcd.kill()
