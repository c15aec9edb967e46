"""Where a training computes: two processes that equal one, one of them killed, devices, and matrix products in fewer bits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from seqmodels.cells import CELLS
from seqmodels.cli import main
from seqmodels.tasks import TASKS
from seqmodels.tasks.base import ModelConfig
from seqmodels.training import Tensors, TrainConfig, joined
from seqmodels.training.machine import _OwnChance, find_device
from tests.running import CONLLU, assert_same_model, wait_until
from tests.sharing import CASES, Case, items_of, train

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parent.parent)}
GPU = pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU by CUDA"))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of two processes has reported of all cases."""
    path = tmp_path_factory.mktemp("shared") / "reports"
    script = str(Path(__file__).with_name("sharing.py"))
    done = subprocess.run([*TORCHRUN, script, str(path)], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(path.with_suffix(f".{rank}").read_bytes()) for rank in (0, 1)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_two_processes_train_as_one_does(shared: list[dict[str, Any]], case: Case) -> None:
    alone = list(train(case))
    first, second = (reports[case.name] for reports in shared)
    assert first == second
    assert len(alone) == len(first)
    for one, both in zip(alone, first, strict=True):
        for name, value in one.items():
            assert both[name] == (pytest.approx(value, abs=1e-4) if isinstance(value, float | list) else value), name


def test_with_dropout_both_still_have_the_same_weights(shared: list[dict[str, Any]]) -> None:
    first, second = (reports["dropout"] for reports in shared)
    assert first == second
    assert first[-1]["weights"] != pytest.approx(shared[0][CASES[0].name][-1]["weights"])


def test_dropout_differs_between_processes_and_what_else_is_drawn_does_not() -> None:
    masks, drawn = [], []
    for rank in (0, 1):
        dropout = torch.nn.Dropout(0.5)
        chance = _OwnChance(dropout)
        torch.manual_seed(1)
        chance.seed(rank)
        masks.append([dropout(torch.ones(50)) for _ in range(2)])
        drawn.append(torch.rand(3))
    assert torch.equal(*drawn)
    [(one, next_one), (other, _)] = masks
    assert not torch.equal(one, other)
    assert not torch.equal(one, next_one)


def command(folder: Path, *options: str) -> list[str]:
    """A training of some seconds to a checkpoint in the folder."""
    corpus = folder / "own.conllu"
    corpus.parent.mkdir(exist_ok=True)
    corpus.write_text(CONLLU * 10)
    files = ["--corpus", str(corpus), "--dev", str(corpus), "--output", str(folder / "own.safetensors")]
    return ["train", "--task", "pos", "--cell", "gru", *files, "--hidden-size", "16", "--patience", "none", *options]


def launch(arguments: list[str], *options: str) -> subprocess.Popen[str]:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*TORCHRUN, *options, "-m", "seqmodels", *arguments], env=ENVIRONMENT, text=True, **pipes)  # type: ignore[call-overload]


def worker(parent: int, *, rank: int) -> int:
    """The process of that rank among torchrun's children."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    [found] = [pid for pid in children if f"\0RANK={rank}\0".encode() in Path(f"/proc/{pid}/environ").read_bytes()]
    return int(found)


def lines(output: str) -> list[str]:
    return [" ".join(line.split()) for line in output.splitlines() if line.startswith(("epoch", "dev", "wrote", "going"))]


@pytest.mark.thorough
def test_a_killed_worker_costs_the_epoch_and_the_weights_are_those_of_an_unbroken_training(tmp_path: Path) -> None:
    epochs = ["--epochs", "20"]
    with launch(command(tmp_path / "whole", *epochs)) as whole:
        out, err = whole.communicate()
    assert whole.returncode == 0, err
    told = [line.partition(" loss ")[0] for line in lines(out)]
    assert told[:-2] == [f"epoch {number}/20" for number in range(1, 21)]  # once, though there are two
    assert told[-1].startswith("wrote")

    with launch(command(tmp_path / "broken", *epochs), "--max-restarts", "1") as broken:
        wait_until((tmp_path / "broken" / "own.state.safetensors").exists)
        os.kill(worker(broken.pid, rank=1), signal.SIGKILL)
        out, err = broken.communicate()
    assert broken.returncode == 0, err
    assert any(line.startswith("going on with") for line in lines(out))
    assert_same_model(tmp_path / "whole" / "own.safetensors", tmp_path / "broken" / "own.safetensors")


@pytest.mark.parametrize("case", [Case("pos", "gru"), *(Case("char", cell) for cell in CELLS)], ids=lambda case: case.name)
def test_matrix_products_in_fewer_bits_learn_nearly_the_same(case: Case) -> None:
    usual = list(train(case))
    with joined("cpu", "bfloat16") as machine:
        short = list(train(case, machine))
    assert short != usual
    assert short[-2]["loss"] == pytest.approx(usual[-2]["loss"], rel=0.02)


@pytest.mark.parametrize("task", ["lm", "char", "recall", "adding"])
def test_what_a_loss_reads_goes_to_the_models_device(task: str) -> None:
    """On torch's meta device, where tensors have no numbers: they have a place, and that can be seen."""
    case = Case(task, "gru", items=4)
    found, items = TASKS[task], items_of(case)
    vocabulary = found.vocabulary(items)
    model = found.build(ModelConfig("gru", hidden_size=4), vocabulary)
    objective = found.objective(model, vocabulary, items, items, TrainConfig(restarts=0.4))
    batch = objective.batches()[0]
    model.to("meta")
    state: Tensors = {}
    for _ in range(2):  # the second step has a memory that runs on
        loss = objective.loss(model, batch, state)
        state = loss.hidden_state
        loss.total.backward()
    assert {value.device.type for value in (loss.mean, *state.values())} == {"meta"}


@pytest.mark.parametrize("device", [GPU])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_gpu_learns_what_the_processor_does(device: str, case: Case) -> None:
    usual = list(train(case))
    with joined(device, "float32") as machine:
        there = list(train(case, machine))
    assert [report.get("loss") for report in there] == pytest.approx([report.get("loss") for report in usual], abs=1e-2)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--device", "tpu"], "unknown device 'tpu': choose one of auto, cpu, cuda, mps, or a GPU by its number, such as cuda:0"),
        (["--device", "cuda:99"], "device is 'cuda:99', "),
        (["--device", "cpu:1"], "unknown device 'cpu:1'"),
        (["--precision", "float8"], "unknown precision 'float8': choose one of auto, float32, bfloat16"),
    ],
)
def test_a_device_or_precision_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert main(command(tmp_path, *options)) == 2
    assert capsys.readouterr().err.startswith(said)


def test_each_process_takes_the_gpu_of_its_own_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [str(find_device("auto", rank)) for rank in (0, 1)] == ["cuda:0", "cuda:1"]
    assert str(find_device("cuda:0", 1)) == "cuda:0"
    assert str(find_device("cpu", 1)) == "cpu"
    with pytest.raises(ValueError, match="which would be GPU 2 here, and there are 2: give a smaller number, fewer processes, or"):
        find_device("cuda", 2)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="device is 'cuda', and there is no GPU here that torch can use: give --device cpu"):
        find_device("cuda")
