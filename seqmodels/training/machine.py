"""What a training computes on: a device, in which precision, alone or as one of several processes that share every batch.

    with joined("auto", "auto") as machine:  # under torchrun, one of its processes
        for report in fit(model.to(machine.device), objective, config, machine=machine):

All processes hold the whole model and draw the same batches; each computes some rows of a batch, and the gradients are summed by
torch's DistributedDataParallel. What is drawn is the same in all of them, dropout apart.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from seqmodels.failures import is_out_of_memory
from seqmodels.training.objective import BatchLoss, DevScore, Objective, ShareableObjective, Tensors

AUTO = "auto"
_CPU = torch.device("cpu")
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
_KINDS = ("cpu", "cuda", "mps")
_LOST = (
    "another process of this training has ended, or cannot be reached: the same command goes on after the last whole epoch, "
    "and `torchrun --max-restarts 3` gives it by itself"
)


@dataclass(frozen=True)
class StepLoss:
    """The loss of a step: `total` has the gradient, `mean` is in nats a token, both over all `tokens` of the batch."""

    total: Tensor
    mean: Tensor
    tokens: int
    hidden_state: Tensors  # of this process's rows


@dataclass(frozen=True)
class Machine:
    """The device, the precision of matrix products on the way to a loss, and which of how many processes this is."""

    device: torch.device = _CPU
    precision: torch.dtype = torch.float32
    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the process that scores, prints and writes."""
        return self.rank == 0

    def losses(self, model: nn.Module, objective: Objective) -> Losses:
        """What gives the loss of each batch."""
        if self.size == 1:
            return Losses(self, model, objective)
        return _SharedLosses(self, model, cast(ShareableObjective, objective))

    def score(self, model: nn.Module, objective: Objective) -> DevScore:
        """The dev score, the same in all processes: the first computes it."""
        if self.size == 1:
            return objective.score(model)
        dev = objective.score(model) if self.leads else DevScore(0.0)
        metric, loss, has_loss = self.first(dev.metric, dev.loss or 0.0, dev.loss is not None)
        return DevScore(metric, loss if has_loss else None)

    def first(self, *figures: float) -> list[float]:
        """The figures of the first process."""
        tensor = self._tensor(figures)
        dist.broadcast(tensor, 0)
        return tensor.tolist()

    def sum(self, *figures: float) -> list[float]:
        """Each figure summed over all processes."""
        tensor = self._tensor(figures)
        dist.all_reduce(tensor)
        return tensor.tolist()

    def autocast(self) -> AbstractContextManager[Any]:
        """Matrix products in the machine's precision; sums and losses stay in float32."""
        if self.precision == torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, self.precision)

    def _tensor(self, figures: Sequence[float]) -> Tensor:
        return torch.tensor(figures, dtype=torch.float64, device=self.device)


class Losses:
    """The loss of each batch, in one process."""

    def __init__(self, machine: Machine, model: nn.Module, objective: Objective) -> None:
        self.machine, self.model, self.objective = machine, model, objective

    def begin(self, seed: int) -> None:
        """Chance that is this process's own follows from the seed of an epoch."""

    def __call__(self, batch: Any, hidden_state: Tensors) -> StepLoss:
        with self.machine.autocast():
            loss = self.objective.loss(self.model, batch, hidden_state)
        return StepLoss(loss.total, loss.mean, loss.tokens, loss.hidden_state)


class _SharedLosses(Losses):
    """The same in each of several processes, whose gradients come out as those of one that has the whole batch."""

    def __init__(self, machine: Machine, model: nn.Module, objective: ShareableObjective) -> None:
        super().__init__(machine, model, objective)
        self._width = objective.width
        self._chance = _OwnChance(model)
        # unused: a second output layer has no gradient where no sentence of the batch has second tags
        devices = None if machine.device.type == "cpu" else [machine.device]
        self._module = DistributedDataParallel(
            _Loss(model, objective).to(machine.device), device_ids=devices, find_unused_parameters=True
        )

    def begin(self, seed: int) -> None:
        self._chance.seed(seed * self.machine.size + self.machine.rank)

    def __call__(self, batch: Any, hidden_state: Tensors) -> StepLoss:
        rank, size = self.machine.rank, self.machine.size
        idle = rank >= self._width(batch)  # DistributedDataParallel needs a loss of every process: this one's counts nothing
        with self.machine.autocast():
            loss: BatchLoss = self._module(batch, hidden_state, slice(1) if idle else slice(rank, None, size))
        own = (0.0, 0, 0) if idle else (loss.mean.item() * loss.tokens, loss.tokens, loss.auxiliary_tokens)
        nats, tokens, auxiliary_tokens = self.machine.sum(*own)
        # gradients are averaged over the processes: each loss counts by its share of the tokens, times their number
        total = loss.mean * (size * own[1] / tokens)
        if loss.auxiliary is not None and auxiliary_tokens:
            total = total + loss.auxiliary * (size * own[2] / auxiliary_tokens)
        return StepLoss(total, torch.tensor(nats / tokens), int(tokens), loss.hidden_state)


class _Loss(nn.Module):
    """A loss as the forward pass of a module, as DistributedDataParallel asks for."""

    def __init__(self, model: nn.Module, objective: ShareableObjective) -> None:
        super().__init__()
        self.model, self.objective = model, objective
        self.unused = nn.Parameter(torch.zeros(()))  # without any such, DistributedDataParallel warns that it looked in vain

    def forward(self, batch: Any, hidden_state: Tensors, rows: slice) -> BatchLoss:
        return self.objective.loss(self.model, batch, hidden_state, rows)


class _OwnChance:
    """Lets dropout draw from numbers of this process's own, so that no two have one mask, and all else from the shared ones."""

    def __init__(self, model: nn.Module) -> None:
        self._state = torch.get_rng_state()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.register_forward_pre_hook(self._swap)
                module.register_forward_hook(self._swap)

    def seed(self, number: int) -> None:
        self._state = torch.Generator().manual_seed(number).get_state()
        if torch.cuda.is_available():  # nothing else is drawn there
            torch.cuda.manual_seed(number)

    def _swap(self, *_: object) -> None:
        shared = torch.get_rng_state()
        torch.set_rng_state(self._state)
        self._state = shared


ALONE = Machine()


@contextmanager
def joined(device: str = AUTO, precision: str = AUTO) -> Iterator[Machine]:
    """The machine of those names, with the other processes that torchrun has started, if any.

    ValueError says why there is none such, or that a process was lost on the way.
    """
    rank, local, size = (int(os.environ[name]) for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE")) if _launched() else (0, 0, 1)
    try:
        place = find_device(device, local)
        machine = Machine(place, _find_precision(precision, place), rank, size)
        if size == 1:
            yield machine
            return
        if place.type == "mps":
            raise ValueError("device is 'mps', which several processes cannot share: give --device cpu, or train without torchrun")
        if place.type == "cuda":
            torch.cuda.set_device(place)  # where nccl and its own streams are
        backend = "nccl" if place.type == "cuda" else "gloo"
        if int(os.environ["LOCAL_WORLD_SIZE"]) == size:
            dist.init_process_group(backend, store=_meeting(), rank=rank, world_size=size)
        else:
            dist.init_process_group(backend)
        yield machine
        dist.destroy_process_group()
    except (ValueError, OSError) as error:
        if not rank:
            raise
        raise ValueError(f"process {rank}: {error}") from None
    except RuntimeError as error:
        if size == 1 or is_out_of_memory(error) or not _is_of_the_group(error):
            raise
        raise ValueError(f"process {rank}: {_LOST}" if rank else _LOST) from None


def find_device(name: str, local_rank: int = 0) -> torch.device:
    """The device of that name, such as cpu, cuda, cuda:1 or mps; auto is a GPU by CUDA if there is one, else the processor.

    Without a number it is the GPU of the process's number on its computer. ValueError if it is not there.
    """
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    kind, _, number = ("cuda" if gpus else "cpu", "", "") if name == AUTO else name.partition(":")
    if kind not in _KINDS or (number and (kind != "cuda" or not number.isdecimal())):
        raise ValueError(
            f"unknown device {name!r}: choose one of auto, {', '.join(_KINDS)}, or a GPU by its number, such as cuda:0"
        )
    if kind == "mps" and not torch.backends.mps.is_available():
        raise ValueError("device is 'mps', and there is none here: give --device cpu")
    if kind != "cuda":
        return torch.device(kind)
    index = int(number) if number else local_rank
    if index >= gpus:
        if not gpus:
            raise ValueError(f"device is {name!r}, and there is no GPU here that torch can use: give --device cpu")
        which = f"device is {name!r}, which would be GPU {index} here, and there are {gpus}"
        raise ValueError(f"{which}: give a smaller number, fewer processes, or --device cpu")
    return torch.device("cuda", index)


def _find_precision(name: str, device: torch.device) -> torch.dtype:
    """The precision of that name; auto is bfloat16 on a GPU that computes in it, else float32."""
    if name == AUTO:
        return torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else torch.float32
    if name not in PRECISIONS:
        raise ValueError(f"unknown precision {name!r}: choose one of auto, {', '.join(PRECISIONS)}")
    return PRECISIONS[name]


def _launched() -> bool:
    return dist.is_available() and dist.is_torchelastic_launched()


def _meeting() -> dist.Store:
    """Where the processes of one computer find each other, apart for each restart: torchrun's own place keeps the old addresses."""
    torchruns = dist.TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), is_master=False)
    return dist.PrefixStore(os.environ["TORCHELASTIC_RESTART_COUNT"], torchruns)


def _is_of_the_group(error: RuntimeError) -> bool:
    """Whether it says that the processes can no longer speak with each other; gloo says so in words alone."""
    said = str(error).lower()
    return isinstance(error, dist.DistError) or any(words in said for words in ("gloo", "peer", "process group"))
