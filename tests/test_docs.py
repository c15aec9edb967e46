"""What the documents say is true: their code runs, their commands exist, their tables and pictures are those of the code."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import typer

from docs import imports
from pages import explorer
from pages.common import page
from seqmodels import load, trace
from seqmodels.cells import CELLS
from seqmodels.cli import main
from seqmodels.cli.commands import app
from tests.browser.driver import PLACES
from tests.paging import GATES, opened, pictures

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    ROOT / name
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/architecture.md",
        "docs/cluster.md",
        "docs/deployment.md",
        "docs/threats.md",
        "docs/trace_format.md",
    )
]
CONLLU = "1\tDogs\t_\tNOUN\tNNS\t_\t2\tnsubj\t_\t_\n2\tbark\t_\tVERB\tVBP\t_\t0\troot\t_\t_\n\n"


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str) -> list[str]:
    """The Python in a page."""
    return re.findall(r"^```python\n(.*?)^```", text_of(name), flags=re.DOTALL | re.MULTILINE)


def run(code: str, module: ModuleType) -> None:
    exec(compile(code, module.__name__, "exec"), vars(module))


@pytest.fixture
def cells() -> Iterator[dict[str, Any]]:
    """CELLS, as it was afterwards."""
    before = dict(CELLS)
    yield CELLS
    CELLS.clear()
    CELLS.update(before)


@pytest.mark.parametrize("notebook", sorted((ROOT / "docs").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEQMODELS_CHECKPOINTS", raising=False)
    book = json.loads(notebook.read_text(encoding="utf-8"))
    module = ModuleType("notebook")
    codes = ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "code"]
    assert codes
    for code in codes:
        run(code, module)


def test_the_readmes_code_runs_and_gives_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEQMODELS_CHECKPOINTS", raising=False)
    module = ModuleType("readme")
    for code in blocks("README.md"):
        run(code, module)
    found = vars(module)
    entities = found["tag"](found["model"], "John Smith lives in Berlin.").entities
    assert [(entity.text, entity.start, entity.end, entity.label) for entity in entities] == [
        ("John Smith", 0, 10, "PER"),
        ("Berlin", 20, 26, "LOC"),
    ]
    assert [token.pos_ for token in found["doc"]] == ["PROPN", "PROPN", "VERB", "ADP", "PROPN", "PUNCT"]
    assert [(entity.text, entity.label_) for entity in found["doc"].ents] == [("John Smith", "PER"), ("Berlin", "LOC")]
    assert found["layer"].mu.shape == (6, 192)
    assert found["traced"].layer(1, "forward").mu.shape == (4, 32)


def test_the_readmes_table_is_that_of_the_cells() -> None:
    rows = [line for line in text_of("README.md").splitlines() if re.match(r"\| .* \(`\w+`\) \|", line)]
    columns = ("memory", "mu", "lam", "candidate", "output")
    cells = [
        f"| {cell.title} (`{cell.name}`) | {' | '.join(getattr(cell.formulas, name) for name in columns)} | {cell.source} |"
        for cell in CELLS.values()
    ]
    assert len(rows) >= 7
    assert rows == [row for row in cells if row in rows]  # in their order; a cell that is new may not be there yet


def test_every_command_in_a_page_is_one_that_the_command_line_takes() -> None:
    group: Any = typer.main.get_command(app)
    commands = {line for page in PAGES for line in re.findall(r"python -m seqmodels ((?:[a-z])[^`\n#]*)", page.read_text("utf-8"))}
    assert len(commands) > 10
    for line in commands:
        name, *arguments = shlex.split(line)
        command = group.commands[name]
        if hasattr(command, "commands") and arguments:
            command, arguments = command.commands[arguments[0]], arguments[1:]
        given = [argument for argument in arguments if argument.startswith("--")]
        known = {option for parameter in command.params for option in parameter.opts}
        assert set(given) <= known | {"--help"}, line


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_picture_of_who_imports_whom_is_that_of_today() -> None:
    page = text_of("docs/architecture.md")
    assert imports.drawn_into(page) == page, "run python -m docs.imports"


def test_every_part_has_its_place_in_the_picture_and_the_table() -> None:
    page = text_of("docs/architecture.md")
    named = set(re.findall(r"`([\w.]+)`", page[page.index("## Parts") : page.index("## Who imports whom")]))
    parts = {path.stem for path in (ROOT / "seqmodels").iterdir() if path.is_dir() or path.suffix == ".py"}
    assert {part for part in parts if not part.startswith("_")} <= named


def test_the_walkthrough_of_a_cell_makes_one_that_can_be_trained(cells: dict[str, Any], tmp_path: Path) -> None:
    module = ModuleType("walkthrough")
    for code in blocks("CONTRIBUTING.md"):
        if not code.startswith("# "):
            run(code, module)
    corpus, output = tmp_path / "own.conllu", tmp_path / "own.safetensors"
    corpus.write_text(CONLLU)
    sizes = ["--epochs", "1", "--hidden-size", "4"]
    files = ["--corpus", str(corpus), "--dev", str(corpus), "--output", str(output)]
    assert main(["train", "--task", "pos", "--cell", "leaky", *files, *sizes]) == 0
    assert set(trace(load(output), "Dogs bark").layers[0].mu.ravel().tolist()) == {np.float32(0.9).item()}


def test_the_walkthrough_of_a_view_makes_one_that_is_on_the_page(
    monkeypatch: pytest.MonkeyPatch, fresh_cache: None, tiny_checkpoints: Path
) -> None:
    for code in blocks("CONTRIBUTING.md"):
        if code.startswith("# "):
            name = code.splitlines()[0].removeprefix("# ").removesuffix(".py").replace("/", ".")
            module = ModuleType(name)
            monkeypatch.setitem(sys.modules, name, module)
            run(code, module)
    view = import_module("pages.explorer.sizes").VIEW
    monkeypatch.setitem(explorer.VIEWS, view.title, view)
    page = opened(GATES, view="Sizes", text="The old man the boats.")
    [first, *_] = pictures(page)
    assert first["data"][0]["type"] == "bar"


def test_the_readme_lists_the_views_as_their_menu_does() -> None:
    listed = re.findall(r"^- \*\*(\w+)\*\*, \*([^*]+)\*", text_of("README.md"), flags=re.MULTILINE)
    assert listed == [(view.title, view.asks) for view in explorer.VIEWS.values()]
    groups = re.findall(r"^(\w+):$", text_of("README.md"), flags=re.MULTILINE)
    assert [group.lower() for group in groups] == list(dict.fromkeys(view.group for view in explorer.VIEWS.values()))


def test_screenshots_are_taken_of_every_page_and_view() -> None:
    taken = {urlsplit(place).path for place in PLACES.values()}
    assert taken == {"" if one.path == "app.py" else Path(one.path).stem.partition("_")[2] for one in page.PAGES}
    assert set(explorer.VIEWS) <= {parse_qs(urlsplit(place).query).get("view", [""])[0] for place in PLACES.values()}
