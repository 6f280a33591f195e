"""Debian's clamd (`make virus`) with a signature of our own, because its database needs the network."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.files.virus import Scanner, ScannerAway

CLAMD = "/usr/sbin/clamd"
SIGNATURE = "Filing.Test:0:*:" + b"FILING-TEST-VIRUS-2026".hex() + "\n"  # an .ndb: name, any type, anywhere, hex
CONFIGURATION = """LocalSocket {folder}/clamd.ctl
TCPSocket {port}
TCPAddr 127.0.0.1
DatabaseDirectory {folder}/db
Foreground yes
StreamMaxLength 1M
PidFile {folder}/pid
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the daemon runs, once it listens."""
    folder = tmp_path_factory.mktemp("clamd")
    (folder / "db").mkdir()
    (folder / "db" / "filing.ndb").write_text(SIGNATURE)
    (folder / "clamd.conf").write_text(CONFIGURATION.format(folder=folder, port=8169))
    daemon = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", CLAMD, "-c", str(folder / "clamd.conf")])
    try:
        for _time in range(300):
            if (folder / "clamd.ctl").exists() and Scanner(f"unix:{folder}/clamd.ctl").ping():
                break
            time.sleep(0.1)
        yield folder
    finally:
        daemon.terminate()
        daemon.wait()


@pytest.mark.parametrize("address", ["unix:{folder}/clamd.ctl", "127.0.0.1:8169"])
def test_the_real_daemon_finds_the_test_virus_and_passes_clean_files(folder: Path, address: str) -> None:
    scanner, file = Scanner(address.format(folder=folder)), folder / "file"
    file.write_bytes(b"%PDF-1.7 " + b"x" * 300_000)
    assert scanner.scan(file) is None
    file.write_bytes(b"%PDF-1.7 " + b"x" * 300_000 + b"FILING-TEST-VIRUS-2026")
    assert scanner.scan(file) == "Filing.Test.UNOFFICIAL"
    file.write_bytes(b"")
    assert scanner.scan(file) is None


def test_a_file_above_its_limit_is_not_called_clean(folder: Path) -> None:
    file = folder / "large"
    file.write_bytes(bytes(2 << 20))
    with pytest.raises(ScannerAway):
        Scanner(f"unix:{folder}/clamd.ctl").scan(file)
