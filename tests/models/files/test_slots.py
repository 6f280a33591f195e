"""Machine-wide slots: never more holders than slots over all processes, and a killed holder frees its slot."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from models.files.slots import MachineSlots, NoSlot
from models.files.worker import Busy, WorkerProcess, WorkerTask
from tests import ROOT

HOLDER = """
import sys, time
from pathlib import Path
from models.files.slots import MachineSlots
with MachineSlots(Path(sys.argv[1]), 2).slot(30):
    print("held", flush=True)
    time.sleep(600)
"""


def holder(folder: Path) -> "subprocess.Popen[str]":
    """A process that holds a slot until it is killed."""
    command = [sys.executable, "-c", HOLDER, str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "held\n"
    return process


@pytest.mark.slow
def test_a_killed_process_frees_its_slot(tmp_path: Path) -> None:
    holders = [holder(tmp_path), holder(tmp_path)]
    try:
        with pytest.raises(NoSlot), MachineSlots(tmp_path, 2).slot(0.3):
            pass
        os.kill(holders[0].pid, signal.SIGKILL)
        with MachineSlots(tmp_path, 2).slot(10), pytest.raises(NoSlot), MachineSlots(tmp_path, 2).slot(0.1):
            pass
    finally:
        for process in holders:
            process.kill()
            process.communicate()


@pytest.mark.slow
def test_a_task_waits_for_a_slot_and_is_refused_when_none_became_free(tmp_path: Path) -> None:
    worker = WorkerProcess(WorkerTask(len), timeout=60, patience=0.2)
    worker.slots = MachineSlots(tmp_path, 1)
    with MachineSlots(tmp_path, 1).slot(0), pytest.raises(Busy):
        worker.run("abc")
    assert worker.run("abc") == 3
    with MachineSlots(tmp_path, 1).slot(0):
        pass  # given back
    worker._stop()
