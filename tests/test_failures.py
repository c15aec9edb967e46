"""Memory that runs out is a sentence, on the command line as on the pages."""

from __future__ import annotations

import errno
import subprocess
import sys

import pytest

from seqmodels.failures import LEAST_ADDRESS_SPACE, OUT_OF_MEMORY, is_out_of_memory
from tests.conftest import thorough_but

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
@pytest.mark.parametrize(("command", "room"), thorough_but([("tag", 2**22), ("tag", 2**25), ("trace", 2**26)], ("tag", 2**22)))
def test_memory_that_runs_out_is_one_line_and_exit_code_2(command: str, room: int) -> None:
    script = SCRIPT.format(command=command, room=room)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, f"{OUT_OF_MEMORY}\n")


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")
@pytest.mark.parametrize("command", thorough_but(["tag", "trace"], "tag"))
@pytest.mark.parametrize("megabytes", thorough_but([200, 400, LEAST_ADDRESS_SPACE], 400))
def test_too_little_memory_to_begin_with_is_one_line_and_exit_code_2(command: str, megabytes: int) -> None:
    script = (
        f"import resource, sys; resource.setrlimit(resource.RLIMIT_AS, ({megabytes << 20}, resource.RLIM_INFINITY)); "
        f"from seqmodels.cli import main; sys.exit(main(['{command}', 'John lives in Berlin.', '--task', 'ner', '--cell', 'gru']))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    told = OUT_OF_MEMORY if megabytes == LEAST_ADDRESS_SPACE else f"may use {megabytes} MB of memory"
    assert told in done.stderr


def test_other_errors_are_not_taken_for_it() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: ...")
    )
    assert is_out_of_memory(ImportError("blis.so: failed to map segment from shared object"))
    assert is_out_of_memory(OSError(errno.ENOMEM, "Cannot allocate memory"))
    assert not is_out_of_memory(ImportError("No module named 'spacy'"))
    assert not is_out_of_memory(RuntimeError("shapes cannot be multiplied"))
    assert not is_out_of_memory(ValueError("not enough memory"))
