"""Memory that runs out is a sentence, on the command line as on the pages."""

from __future__ import annotations

import subprocess
import sys

import pytest

from seqmodels.failures import OUT_OF_MEMORY, is_out_of_memory

# all is imported and loaded first, so that it is the text that finds no room
SCRIPT = """
import resource, sys
from seqmodels.cli import main
arguments = ["--task", "ner", "--cell", "gru", "--json"]
assert main(["{command}", "John lives in Berlin.", *arguments]) == 0
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + {room}, resource.RLIM_INFINITY))
sys.exit(main(["{command}", "John lives in Berlin. " * 100_000, *arguments]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")
@pytest.mark.parametrize(("command", "room"), [("tag", 2**22), ("tag", 2**25), ("trace", 2**26)])
def test_memory_that_runs_out_is_one_line_and_exit_code_2(command: str, room: int) -> None:
    script = SCRIPT.format(command=command, room=room)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, f"{OUT_OF_MEMORY}\n")


def test_other_errors_are_not_taken_for_it() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: ...")
    )
    assert not is_out_of_memory(RuntimeError("shapes cannot be multiplied"))
    assert not is_out_of_memory(ValueError("not enough memory"))
