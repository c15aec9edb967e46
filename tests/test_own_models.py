"""Models of one's own: made of a run or brought as a file, on the pages that can use them at once, beside the shipped ones."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import safetensors
import safetensors.torch
import torch
from streamlit.testing.v1 import AppTest

from pages.explorer import VIEWS
from seqmodels import checkpoints, tensorfiles
from seqmodels.checkpoints import Checkpoint
from seqmodels.runs import Run, Upload, create, may_control
from seqmodels.runs.publishing import import_checkpoint, own_folder, remove_own
from seqmodels.runs.settings import from_flat
from seqmodels.tasks import find_task
from seqmodels.tasks.base import ModelConfig
from seqmodels.vocab import TaggerVocab
from tests.paging import GATES, LANGUAGE, TAGGING, TRAINING, followed, html, linked, pictures, sound
from tests.running import CONLLU, KEY, files, finish, make

OWNER = "training-owner"  # in the session's state
pytestmark = pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints", "own_folders")


@pytest.fixture
def own(own_folders: Path) -> Path:
    return own_folders / "own"


@pytest.fixture
def bring(tiny_folder: Path) -> Callable[[str, str], Path]:
    """A copy of one of the tiny models as one's own."""
    return lambda shipped, name: import_checkpoint((tiny_folder / f"{shipped}.safetensors").read_bytes(), name, KEY)


def visit(page: str, *, key: str = KEY, **link: str | list[str]) -> AppTest:
    app = linked(page, **link)
    app.session_state[OWNER] = key
    return sound(app.run())


def said(app: AppTest) -> str:
    spoken = [*app.markdown, *app.caption, *app.info, *app.warning, *app.success]
    return " ".join(element.value for element in spoken).replace("\\", "")


def offered(app: AppTest) -> list[str]:
    return list(app.button_group(key="cells").options)


def columns(app: AppTest) -> list[str]:
    """By the table, which is opened for it."""
    app.session_state["table"] = True
    sound(app.run())
    return [name for name in app.dataframe[0].value.columns if name.endswith("_tag")]


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


# on the pages


@pytest.mark.parametrize(("page", "shipped"), [(TAGGING, "pos-gru"), (GATES, "pos-lstm"), (LANGUAGE, "lm-elman")])
def test_a_model_is_listed_at_once_behind_the_shipped_ones_and_off(
    page: str, shipped: str, bring: Callable[[str, str], Path]
) -> None:
    app = visit(page)
    assert offered(app) == ["Elman", "GRU", "LSTM"]
    bring(shipped, "mine")
    bring("ner-gru", "for-names")
    sound(app.run())
    cell = {"elman": "Elman", "gru": "GRU", "lstm": "LSTM"}[shipped.partition("-")[2]]
    assert offered(app) == ["Elman", "GRU", "LSTM", f"mine ({cell})"]
    assert app.button_group(key="cells").value == ["Elman", "GRU", "LSTM"]


def test_two_models_with_one_cell_stand_beside_each_other_under_their_own_names(bring: Callable[[str, str], Path]) -> None:
    bring("pos-gru", "mine")
    app = visit(TAGGING, cells=["GRU", "mine (GRU)"])
    assert columns(app) == ["gru_tag", "mine_tag"]
    assert "Rows from the top: GRU, mine (GRU)" in said(app)
    table = app.dataframe[0].value
    assert (table["gru_tag"] == table["mine_tag"]).all(), "they are copies of one model"


def test_a_link_may_name_a_model_by_its_short_name(bring: Callable[[str, str], Path]) -> None:
    bring("pos-gru", "mine")
    assert columns(visit(TAGGING, cells=["lstm", "mine"])) == ["lstm_tag", "mine_tag"]


def test_a_link_to_a_model_that_is_gone_shows_the_default_and_says_so(bring: Callable[[str, str], Path]) -> None:
    app = visit(TAGGING, cells=["mine (GRU)"])
    assert "not here" in said(app)
    assert columns(app) == ["elman_tag", "gru_tag", "lstm_tag"]


def test_a_model_deleted_or_made_anew_while_it_is_picked_leaves_the_page_sound(
    bring: Callable[[str, str], Path], tiny_folder: Path
) -> None:
    path = bring("pos-gru", "mine")
    app = visit(TAGGING, cells=["GRU", "mine (GRU)"])
    remove_own("mine", KEY)
    assert columns(sound(app.run())) == ["gru_tag"]
    shutil.copy(tiny_folder / "pos-lstm.safetensors", path)
    assert offered(sound(app.run()))[-1] == "mine (LSTM)"


def test_weights_that_are_damaged_later_are_told_once_picked_and_the_others_go_on(bring: Callable[[str, str], Path]) -> None:
    path = bring("pos-gru", "mine")
    path.write_bytes(path.read_bytes()[:-40])
    app = visit(TAGGING, cells=["GRU", "mine (GRU)"])
    assert "not here" in said(app), "a damaged file is no choice"
    tensors, metadata = tensorfiles.read_tensors(checkpoints.find("pos-gru"))
    first = next(iter(tensors))
    tensorfiles.write_tensors(path, {**tensors, first: torch.full_like(tensors[first], torch.nan)}, metadata)
    app = visit(TAGGING, cells=["GRU", "mine (GRU)"])
    assert columns(app) == ["gru_tag"]
    assert "not finite" in said(app)
    assert str(path.parent) not in said(app)


def test_a_file_that_is_no_name_in_the_folder_is_left_alone(own: Path, tiny_folder: Path) -> None:
    own.mkdir()
    for name in ("Evil <b>.safetensors", "pos-gru.safetensors"):
        shutil.copy(tiny_folder / "pos-gru.safetensors", own / name)
    assert offered(visit(TAGGING)) == ["Elman", "GRU", "LSTM"]


def test_what_is_picked_of_the_shipped_ones_stays_on_a_page_that_lacks_the_own_one(bring: Callable[[str, str], Path]) -> None:
    bring("pos-gru", "mine")
    app = visit(TAGGING, cells=["LSTM", "mine (GRU)"])
    sound(app.button_group(key="task").set_value("Entities").run())
    assert columns(app) == ["lstm_tag"]


def test_with_no_shipped_model_ones_own_is_on(bring: Callable[[str, str], Path], tmp_path: Path, monkeypatch) -> None:
    bring("pos-gru", "mine")
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(tmp_path / "empty"))
    app = visit(TAGGING)
    assert columns(app) == ["mine_tag"]


def test_no_more_than_three_are_drawn_side_by_side_and_ones_own_is_among_them(bring: Callable[[str, str], Path]) -> None:
    bring("pos-gru", "mine")
    app = visit(GATES, cells=["Elman", "GRU", "LSTM", "mine (GRU)"])
    assert len(app.get("plotly_chart")) == 3
    assert "3 at most are shown side by side: GRU, LSTM, mine (GRU)" in said(app)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_shows_two_models_with_one_cell(view: str, bring: Callable[[str, str], Path]) -> None:
    bring("pos-gru", "mine")
    app = visit(GATES, view=view, cells=["GRU", "mine (GRU)"], text="The old man the boats.", token="3")
    assert app.get("plotly_chart") or app.get("html")
    assert not [note.value for note in app.info]


def test_in_comparisons_two_models_with_one_cell_have_one_colour_and_two_strokes(bring: Callable[[str, str], Path]) -> None:
    bring("pos-gru", "mine")
    app = visit(GATES, view="Compare", cells=["GRU", "mine (GRU)"], text="The old man the boats.")
    shipped, mine = pictures(app)[0]["data"]
    assert shipped["line"]["color"] == mine["line"]["color"]
    assert shipped["line"]["dash"] != mine["line"]["dash"]
    assert "mine (GRU)" in mine["hovertemplate"]


@pytest.mark.parametrize(
    "changes",
    [{"bidirectional": False}, {"layers": 2}, {"layers": 2, "bidirectional": False}, {"activation": "relu", "cell": "elman"}],
)
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_shows_a_model_of_another_shape(view: str, changes: dict[str, object], own: Path) -> None:
    built("pos", own / "odd.safetensors", **changes)
    title = f"odd ({'Elman' if 'cell' in changes else 'GRU'})"
    visit(GATES, view=view, cells=["LSTM", title], text="The old man the boats.", token="3")
    odd = visit(GATES, view=view, cells=["LSTM", title], text="The old man the boats.", layer="2", direction="backward")
    assert odd.button_group(key="cells").value == ["LSTM", title]


def test_the_command_line_finds_a_model_by_its_name(bring: Callable[[str, str], Path]) -> None:
    path = bring("pos-gru", "mine")
    assert checkpoints.load("mine").path == path


def built(task: str, path: Path, vocabulary: object = None, **changes: object) -> None:
    """A model with random weights."""
    shipped = checkpoints.load(f"{task}-gru")
    config = ModelConfig(**{**shipped.info.config, **changes})
    words = shipped.vocabulary if vocabulary is None else vocabulary
    model = find_task(task).build(config, words)
    info = replace(shipped.info, task=task, cell=config.cell, config=asdict(config))
    checkpoints.save(path, model, words, info)  # type: ignore[arg-type]


# from a run


def tagger() -> Run:
    small = {"task": "pos", "cell": "gru", "hidden_size": "8", "source": "file", "epochs": "2"}
    run = create(from_flat(small), KEY, upload=Upload("own.conllu", CONLLU.encode()), name="My <Tagger> 2!")
    finish(run)
    return run


def test_a_finished_run_becomes_a_model_that_the_tagging_page_opens_with(own: Path) -> None:
    run = tagger()
    app = visit(TRAINING, run=run.id)
    assert app.text_input(key=f"training-model-name-{run.id}").value == "my-tagger-2"
    sound(app.button(key="training-publish").click().run())
    assert "now the model **my-tagger-2**" in said(app)
    assert [one.name for one in checkpoints.list_checkpoints(own_folder())] == ["my-tagger-2"]
    assert (own / "my-tagger-2.safetensors").read_bytes() == (run.folder / "best.safetensors").read_bytes()
    app.session_state["training-tab"] = "Your models"
    sound(app.run())
    links = [element.proto for element in app.get("page_link") if "my-tagger-2" in element.proto.query_string]
    assert [link.label for link in links] == ["Tagging", "Gates"] * 2, "under the run, and where your models are listed"
    followed(app, "Tagging", help="With my-tagger-2")
    assert app.title[0].value == "Tagging"
    assert columns(app) == ["my-tagger-2_tag"]


@pytest.mark.parametrize("name", ["", "../evil", "A b", "pos-gru", "gru", "taken"])
def test_a_name_that_will_not_do_is_answered_and_nothing_is_written(
    name: str, bring: Callable[[str, str], Path], own: Path
) -> None:
    bring("ner-gru", "taken")
    run = tagger()
    before = files(own)
    app = visit(TRAINING, run=run.id)
    sound(app.text_input(key=f"training-model-name-{run.id}").set_value(name).run())
    sound(app.button(key="training-publish").click().run())
    assert len(app.warning) == 1
    assert files(own) == before
    assert str(own) not in said(app)


def test_someone_elses_run_is_neither_published_nor_downloaded() -> None:
    run = tagger()
    assert not may_control(run, "another")
    app = visit(TRAINING, key="another", run=run.id)
    assert "Use this model" not in labels(app)
    assert not [button for button in app.get("download_button") if "training-download" in button.proto.id]


def test_a_run_without_weights_offers_none() -> None:
    assert "Use this model" not in labels(visit(TRAINING, run=make().id))


def test_a_model_that_no_page_can_use_says_what_can() -> None:
    run = make()
    finish(run)
    app = visit(TRAINING, run=run.id)
    sound(app.button(key="training-publish").click().run())
    assert "no other page can use it" in said(app)


# brought from elsewhere


def mine(app: AppTest) -> AppTest:
    """The tab of one's own models."""
    app.session_state["training-tab"] = "Your models"
    return sound(app.run())


def upload(content: bytes, name: str = "brought.safetensors") -> AppTest:
    app = mine(visit(TRAINING))
    sound(app.file_uploader(key="training-checkpoint").set_value((name, content, "application/octet-stream")).run())
    return sound(app.button(key="training-add").click().run())


def test_an_uploaded_model_is_listed_with_what_it_is_and_can_be_deleted(tiny_folder: Path, own: Path) -> None:
    app = upload((tiny_folder / "ner-lstm.safetensors").read_bytes(), "Big Model_v2.safetensors")
    assert "big-model-v2** is added" in said(app)
    assert "**big-model-v2** · Entities · LSTM" in said(app)
    assert "f1 59.83" in said(app)
    sound(app.button(key="training-delete-now-big-model-v2").click().run())
    assert "is deleted" in said(app)
    assert files(own) == set()


def test_only_who_brought_a_model_can_delete_it(bring: Callable[[str, str], Path]) -> None:
    bring("pos-gru", "mine")
    app = mine(visit(TRAINING, key="another"))
    assert "**mine** · Part of speech" in said(app)
    assert "Delete it" not in labels(app)


def rewritten(shipped: bytes, folder: Path, change: Callable[[dict, dict], None]) -> bytes:
    """The same file with other weights or another description."""
    (folder / "a").write_bytes(shipped)
    with safetensors.safe_open(folder / "a", framework="pt") as file:
        described = json.loads(file.metadata()["seqmodels"])
    tensors = safetensors.torch.load_file(folder / "a")
    change(described, tensors)
    safetensors.torch.save_file(tensors, folder / "b", {"seqmodels": json.dumps(described)})
    return (folder / "b").read_bytes()


def _lose(described: dict, tensors: dict) -> None:
    tensors.popitem()


def _nan(described: dict, tensors: dict) -> None:
    name = next(iter(tensors))
    tensors[name] = torch.full_like(tensors[name], torch.nan)


Damage = Callable[[bytes, Path], bytes]


def saying(**values: object) -> Damage:
    """Another description."""
    return lambda content, folder: rewritten(content, folder, lambda said, _: said.update(values))


def network(**values: object) -> Damage:
    """The description of another network."""
    return lambda content, folder: rewritten(content, folder, lambda said, _: said["config"].update(values))


MALFORMED: dict[str, Damage] = {
    "empty": lambda content, folder: b"",
    "text": lambda content, folder: b"no checkpoint at all\n" * 50,
    "a pickle": lambda content, folder: b"\x80\x04\x95cos\nsystem\n(S'touch evil'\ntR." * 9,
    "a zip": lambda content, folder: b"PK\x03\x04" + content,
    "cut short": lambda content, folder: content[: len(content) // 2],
    "a huge header": lambda content, folder: (2**63).to_bytes(8, "little") + content[8:],
    "a damaged header": lambda content, folder: content[:8] + b"x" + content[9:],
    "of another program": lambda content, folder: safetensors.torch.save({"weight": torch.zeros(3)}),
    "no vocabulary": lambda content, folder: rewritten(content, folder, lambda said, _: said.pop("vocabulary")),
    "a missing weight": lambda content, folder: rewritten(content, folder, _lose),
    "weights that are no numbers": lambda content, folder: rewritten(content, folder, _nan),
    "an unknown task": saying(task="../../etc"),
    "another format": saying(format=99),
    "a list for a network": saying(config=[1]),
    "a list for a vocabulary": saying(vocabulary=[7]),
    "a word for the scores": saying(scores="high"),
    "another cell than its network's": saying(cell="<b>"),
    "a list for a task": saying(task=["pos"]),
    "no temperature": saying(temperature=0),
    "a temperature beyond all others": saying(temperature=1e30),
    "very many tags": lambda content, folder: rewritten(
        content, folder, lambda said, _: said["vocabulary"].update(tags=list(map(str, range(5000))))
    ),
    "a header of many megabytes": lambda content, folder: safetensors.torch.save({}, {"seqmodels": "[]," * 2_000_000}),
    "an unknown cell": network(cell="<b>"),
    "a network of another size": network(hidden_size=9),
    "a network of no whole size": network(hidden_size=8.5),
    "a huge network": network(hidden_size=2048, layers=8),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_upload_is_answered_and_nothing_is_kept(kind: str, tiny_folder: Path, tmp_path: Path, own: Path) -> None:
    content = MALFORMED[kind]((tiny_folder / "pos-gru.safetensors").read_bytes(), tmp_path)
    app = upload(content)
    assert len(app.warning) == 1, said(app)
    assert str(tmp_path) not in app.warning[0].value.replace("\\", "")
    assert files(own) == set()
    assert offered(visit(TAGGING)) == ["Elman", "GRU", "LSTM"]


@pytest.mark.parametrize(
    "name", ["../../evil.safetensors", "<script>alert(1)</script>", "*" * 300, ".safetensors", "pos-gru.safetensors"]
)
def test_whatever_the_file_is_called_its_model_gets_a_name_that_will_do(name: str, tiny_folder: Path, own: Path) -> None:
    app = upload((tiny_folder / "pos-gru.safetensors").read_bytes(), name)
    assert "is added" in said(app)
    (kept,) = checkpoints.list_checkpoints(own_folder())
    assert checkpoints.is_name(kept.name)
    assert kept.path.parent == own_folder() == own


def test_ones_own_types_of_entities_have_a_place_in_the_legend(own: Path, tiny: dict[str, Checkpoint]) -> None:
    shipped = tiny["ner-gru"].vocabulary
    assert isinstance(shipped, TaggerVocab)
    kinds = replace(shipped, tags=("B-<GENE>", "I-<GENE>"))  # every word is one
    built("ner", own / "genes.safetensors", kinds)
    app = visit(TAGGING, task="Entities", cells=["genes (GRU)"])
    assert "<b>&lt;GENE&gt;</b>" in html(app)
    assert "<GENE>" not in html(app)
