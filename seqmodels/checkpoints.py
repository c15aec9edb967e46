"""One self-describing .safetensors file per model: `load(path)` needs no other argument, and no pickle is read or written."""

from __future__ import annotations

import json
import math
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from seqmodels.cells import CELLS
from seqmodels.decoding import LEAST_TOKEN, SpanOdds
from seqmodels.environment import environment
from seqmodels.fields import Count, Finite, Range, Short, validated
from seqmodels.files import held
from seqmodels.initialization import TORCH
from seqmodels.installation import CHECKPOINT_SUFFIX as SUFFIX
from seqmodels.models import LanguageModel, SequenceModel
from seqmodels.quantization import pack, packed_shapes, unpack
from seqmodels.recurrence import State
from seqmodels.tasks import TASKS, ModelConfig, Task, find_task
from seqmodels.tensorfiles import LARGEST_HEADER, Header, read_header, read_tensors, write_tensors
from seqmodels.training import flaw
from seqmodels.vectors import VectorsError
from seqmodels.vocab import LanguageVocab, Vocabulary

FLOATING_FORMAT, FORMAT = 1, 2  # in the first, that of earlier files, no matrix is in eight bits
LONGEST_NAME = 40
LONGEST_REASON = 200  # characters of what is said of a file, in which its own words may stand
LARGEST_DESCRIPTION = LARGEST_HEADER // 2  # bytes: in the header its quotation marks are escaped
_KEY = "seqmodels"  # of our JSON in the file's header
_NAME = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")  # a cell's name may have an underscore
_TURN = threading.Lock()  # of reading a file: that takes many times the room of its header and weights, and visitors bring many
TRAINING_ONLY = ("auxiliary_head.", "corrections")  # how the names of weights begin that no checkpoint keeps


class CheckpointError(ValueError):
    """A checkpoint file cannot be used as asked."""


class MissingCheckpointError(CheckpointError):
    """There is no such file."""


@dataclass(frozen=True)
class CheckpointInfo:
    """All that a checkpoint says of itself. `scores` maps a split to its figures (see Scores); `corpus_hash` is over the corpus.

    A file may come from anywhere: whoever shows its description relies on these types and ranges, which are checked on loading.
    """

    task: str
    cell: str
    config: dict[str, Any]
    parameters: Count
    corpus: tuple[Short, ...]
    corpus_hash: Short
    recipe: dict[str, Any]
    seed: Count
    epochs: Count
    scores: dict[Short, dict[Short, Finite]]
    temperature: Annotated[float, Range(0.01, 100)]  # of the loaded model: see SequenceModel
    versions: dict[Short, Short]
    seconds: Annotated[float, Range(0)] | None = None  # spent training; earlier files do not tell
    span_odds: SpanOdds = LEAST_TOKEN  # the same for entities; earlier files give the probability of the least certain token
    format: int = FORMAT


@dataclass(frozen=True)
class Checkpoint:
    """A loaded model, ready for inference, with the vocabulary it reads by.

    One that has `conditions` starts from the memory of one of them: `load("names-gru").given("Russian")` reads and writes Russian
    names.
    """

    path: Path
    info: CheckpointInfo
    model: SequenceModel
    vocabulary: Vocabulary
    condition: str = ""

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def own_name(self) -> str:
        """The name, or nothing where it is that of a shipped model and the task and cell say as much."""
        return "" if self.name == f"{self.info.task}-{self.info.cell}" else self.name

    @property
    def task(self) -> Task:
        return find_task(self.info.task)

    @property
    def conditions(self) -> tuple[str, ...]:
        """What its initial memory can stand for, such as languages; none where it is zero."""
        return self.vocabulary.conditions if isinstance(self.vocabulary, LanguageVocab) else ()

    def given(self, condition: str) -> Checkpoint:
        """The same model, starting from the memory of one of its conditions, in any case. ValueError lists those it has."""
        if condition not in self.conditions:
            condition = next((own for own in self.conditions if own.casefold() == condition.casefold()), condition)
        if condition not in self.conditions:
            has = f"choose one of {', '.join(self.conditions)}" if self.conditions else "it has none to choose from"
            what = self.task.condition or "condition"
            raise ValueError(f"{self.name} knows no {what} {condition!r:.60}: {has}")
        return replace(self, condition=condition)

    @torch.inference_mode()
    def initial_state(self, batch: int = 1) -> State | None:
        """What stands before the first token, for so many texts side by side; None for zero. ValueError if it is not chosen yet."""
        if not self.conditions:
            return None
        if not self.condition:
            what, first = self.task.condition or "condition", self.conditions[0]
            raise ValueError(
                f"{self.name} begins with a {what}: choose one of {', '.join(self.conditions)}, such as model.given({first!r})"
            )
        assert isinstance(self.model, LanguageModel)
        return self.model.initial_state(torch.full((batch,), self.conditions.index(self.condition)))

    @property
    def nbytes(self) -> int:
        """Of the weights in memory."""
        return sum(value.nbytes for value in self.model.state_dict().values())

    @cached_property
    def multiplications(self) -> int:
        """By its weights, for each token: about what it costs to read one."""
        return sum(value.numel() for value in self.model.recurrent.parameters()) + self.model.output_weight.numel()

    @property
    def targets(self) -> tuple[str, ...]:
        """What its logits are of: tags, or the words that may come next."""
        return self.vocabulary.targets


@dataclass(frozen=True)
class CheckpointEntry:
    """A checkpoint file in a folder: what it says of itself, or why it cannot be used."""

    name: str
    path: Path
    bytes: int
    info: CheckpointInfo | None
    problem: str | None


def folder() -> Path:
    """Where the shipped checkpoints are."""
    return environment().checkpoints


def own_folder() -> Path:
    """Where the user's own checkpoints are."""
    return environment().own_checkpoints


def path_of(task: str, cell: str) -> Path:
    """The file of a task's shipped model with a cell."""
    return folder() / f"{task}-{cell}{SUFFIX}"


def is_name(text: str) -> bool:
    """Whether a checkpoint may be called so: small letters and digits, joined by hyphens or underscores, and so never a path."""
    return len(text) <= LONGEST_NAME and _NAME.fullmatch(text) is not None


def is_shipped(name: str) -> bool:
    """Whether it is a shipped model's name or short name, or that of any other file in the folder of the shipped ones."""
    task, _, cell = name.partition("-")
    promised = task in TASKS and TASKS[task].shipped and cell in CELLS
    return name in CELLS or promised or (folder() / f"{name}{SUFFIX}").exists()


def find(name: str) -> Path:
    """The file of that name, whether or not it is there: a shipped model's, else yours. ValueError if it cannot be a name."""
    if not is_name(name):
        raise ValueError(
            f"a checkpoint cannot be called {name[:LONGEST_NAME]!r}: "
            "give small letters, digits, hyphens and underscores, such as my-tagger"
        )
    own = own_folder() / f"{name}{SUFFIX}"
    if not is_shipped(name):
        return own
    shipped = folder() / own.name
    # yours may have the name of a cell that came later
    return shipped if shipped.exists() or not own.exists() else own


def save(path: Path, model: nn.Module, vocabulary: Vocabulary, info: CheckpointInfo, *, dtype: torch.dtype | None = None) -> None:
    """Write atomically: a kill at any moment leaves the old file or the new one.

    The smallest type of weights is `dtype`, or that of the format: float16 in FLOATING_FORMAT, else int8 (see quantization.pack).
    A model that was loaded is saved with the same weights again, if its `info` is too.
    CheckpointError, before anything is written, if no network can compute with the weights. A score that is no finite number says
    nothing and is left out.
    """
    if dtype is None:
        dtype = torch.float16 if info.format == FLOATING_FORMAT else torch.int8
    tensors = pack(_kept(model), dtype)
    problem = flaw(unpack(tensors))
    if problem:
        raise CheckpointError(f"{path} is not written: the model has {problem}")
    scores = {split: {name: value for name, value in found.items() if math.isfinite(value)} for split, found in info.scores.items()}
    described = json.dumps({**asdict(replace(info, scores=scores)), "vocabulary": vocabulary.to_json()}, ensure_ascii=False)
    if len(described.encode()) > LARGEST_DESCRIPTION:
        raise CheckpointError(
            f"{path} is not written: its vocabulary is so large that no file of the model could be read again. Train on fewer words"
        )
    write_tensors(path, tensors, {_KEY: described})


def stored(model: nn.Module) -> dict[str, Tensor]:
    """The weights as they come back from a file, where they are rounded."""
    return unpack(pack(_kept(model)))


def load(path: Path | str, *, task: str | None = None, cell: str | None = None) -> Checkpoint:
    """A model ready for inference: by path, or by name such as 'pos-gru', in float32 on the CPU, without gradients.

    A name is that of a shipped model, else of one of yours. `task` and `cell` say what it must be of. CheckpointError, which
    is a ValueError, if there is no such file, if it is damaged, or if it is of another task or cell.
    """
    path = _find(path)
    with _reading(path) as file:
        return _load(path, file, task, cell)


@contextmanager
def _reading(path: Path) -> Iterator[Path]:
    """The file as it is now, under a path of its own, as others may replace it meanwhile; one file at a time."""
    try:
        with _TURN, held(path) as file:
            yield file
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror}): fetch it again or retrain") from None


@torch.inference_mode(False)  # wherever it is loaded, its weights are tensors that can be differentiated by
def _load(path: Path, file: Path, task: str | None, cell: str | None) -> Checkpoint:
    header, info, vocabulary = _describe(path, file)
    for wanted, found, what in ((task, info.task, "task"), (cell, info.cell, "cell")):
        if wanted is not None and wanted != found:
            raise CheckpointError(f"{path} was saved for {what} {found!r}, not {wanted!r}: pick another checkpoint or retrain")
    # made without numbers and given those of the file: a small file that describes a huge network takes no memory
    config = ModelConfig(**{**info.config, "initialization": TORCH})
    try:
        with torch.device("meta"), _Unfilled():
            model = find_task(info.task).build(config, vocabulary)
        shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
        _compare(header.shapes, packed_shapes(shapes, header.shapes))
        tensors, _ = read_tensors(file)
        model.load_state_dict(unpack(tensors), assign=True)
        del tensors
        problem = flaw(model.state_dict())
    except (KeyError, TypeError, ValueError, RuntimeError, safetensors.SafetensorError) as error:
        raise CheckpointError(
            f"{path} does not hold the model it describes ({_reason(error)}): fetch it again or retrain"
        ) from None
    if problem:
        raise CheckpointError(f"{path} holds {problem}: fetch it again or retrain")
    model.temperature = info.temperature
    model.eval().requires_grad_(False)
    model.lay_out_for_reading()
    return Checkpoint(path, info, model, vocabulary)


def read_info(path: Path | str) -> CheckpointInfo:
    """What a checkpoint says of itself, from its header alone."""
    path = _find(path)
    with _reading(path) as file:
        return _describe(path, file)[1]


def list_checkpoints(where: Path | None = None) -> list[CheckpointEntry]:
    """Every checkpoint file of a folder (None: that of the shipped models), by task, then name. Sizes are in bytes.

    Only headers are read. A file that cannot be used is listed with its problem, so nothing is raised.
    """
    found = [look(path) for path in sorted((where or folder()).glob(f"*{SUFFIX}"))]
    order = list(TASKS)
    return sorted(found, key=lambda listed: (order.index(listed.info.task) if listed.info else len(order), listed.name))


def look(path: Path) -> CheckpointEntry:
    """A file as it is listed: its header is read, and not its weights."""
    info, problem, size = None, None, 0
    try:
        info = read_info(path)
    except CheckpointError as error:
        problem = str(error)
    with suppress(OSError):  # it may be gone by now
        size = path.stat().st_size
    return CheckpointEntry(path.stem, path, size, info, problem)


def versions() -> dict[str, str]:
    """The libraries that made a checkpoint."""
    from importlib.metadata import version

    return {package: version(package) for package in ("torch", "spacy", "safetensors")}


class _Unfilled(TorchFunctionMode):
    """Tensors without numbers are not filled with normal ones: for that torch imports its compiler, 1.8 seconds and 70 MB."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        return named["tensor"] if func is nn.init.normal_ else func(*args, **named)


def _kept(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach() for name, value in model.state_dict().items() if not name.startswith(TRAINING_ONLY)}


def _find(path: Path | str) -> Path:
    named = Path(path)
    if is_name(str(path)) and not named.is_file():
        named = find(str(path))
    if not named.is_file():
        raise MissingCheckpointError(f"no checkpoint {named}: `python -m seqmodels checkpoints` lists those here")
    return named


def _describe(path: Path, file: Path) -> tuple[Header, CheckpointInfo, Vocabulary]:
    """A file's header, what it says of the model, every value of it checked, and the vocabulary in it."""
    from pydantic_core import from_json

    try:
        header = read_header(file)
        described = from_json(header.metadata[_KEY], allow_inf_nan=False)
    except KeyError:
        raise CheckpointError(f"{path} is no seqmodels checkpoint: its header has no {_KEY!r} entry") from None
    except (ValueError, OSError) as error:
        raise CheckpointError(f"{path} is damaged or cut short ({_reason(error)}): fetch it again or retrain") from None
    if not isinstance(described, dict) or described.get("format") not in (FLOATING_FORMAT, FORMAT):
        found = described.get("format") if isinstance(described, dict) else None
        raise CheckpointError(
            f"{path} has format {found!r:.60}, this version reads {FLOATING_FORMAT} and {FORMAT}: update seqmodels or retrain"
        )
    try:
        return header, *_checked(described)
    except VectorsError as error:  # the file itself is sound
        raise CheckpointError(f"{path} needs another file: {error}") from None
    except (KeyError, TypeError, ValueError) as error:  # the first two of a vocabulary that is not ours
        raise CheckpointError(f"{path} has a damaged description ({_reason(error)}): fetch it again or retrain") from None


def _compare(found: Mapping[str, tuple[int, ...]], wanted: Mapping[str, tuple[int, ...]]) -> None:
    """ValueError names the first tensor that a file lacks, has too many, or has in another shape than the network."""
    for name, shape in wanted.items():
        if name not in found:
            raise ValueError(f"it has no {name}")
        if found[name] != shape:
            raise ValueError(f"{name} is of {_shape(found[name])}, and in the network of {_shape(shape)}")
    strange = next((name for name in found if name not in wanted), None)
    if strange is not None:
        raise ValueError(f"the network has no {strange}")


def _shape(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes)) or "one number"


def _reason(error: Exception) -> str:
    """An error in a line, and no longer than it needs to be: a file of anyone's may be quoted in it."""
    line = " ".join(str(error).split())
    return line if len(line) <= LONGEST_REASON else f"{line[:LONGEST_REASON]} …"


def _checked(described: dict[str, Any]) -> tuple[CheckpointInfo, Vocabulary]:
    info = validated(CheckpointInfo, {name: value for name, value in described.items() if name != "vocabulary"})
    task = find_task(info.task)
    config = validated(ModelConfig, info.config, "config")
    if info.cell != config.cell:
        raise ValueError(f"cell: it is {info.cell!r}, and that of the network {config.cell!r}")
    if "vocabulary" not in described:
        raise ValueError("vocabulary: it is missing")
    try:
        return info, task.vocabulary_class.from_json(described["vocabulary"])
    except VectorsError:
        raise
    except ValueError as error:
        raise ValueError(f"vocabulary: {error}") from None
