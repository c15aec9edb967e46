"""The wheel, installed into a fresh environment, is a command that works from any folder, with the models and the app."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.driver import PATIENCE, ROOT, browse, find_browser, free_port, settle, wait_for

pytestmark = pytest.mark.thorough
SCRIPTS = "Scripts" if os.name == "nt" else "bin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel; its dependencies are those of this one, so that nothing is fetched or copied."""
    folder = tmp_path_factory.mktemp("package")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    environment = folder / "environment"
    venv.create(environment)
    python = str(environment / SCRIPTS / "python")
    paths = sysconfig.get_paths(vars={"base": str(environment), "platbase": str(environment)})
    (Path(paths["purelib"]) / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"])
    [wheel] = folder.glob("*.whl")
    subprocess.run([*pip, "--python", python, "install", "--no-deps", "--no-index", str(wheel)], check=True, capture_output=True)
    return environment / SCRIPTS


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that knows nothing of the repository."""
    monkeypatch.chdir(tmp_path)
    for name in ("PYTHONPATH", "SEQMODELS_CHECKPOINTS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def answer(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_command_tags_with_the_shipped_models(installed: Path, elsewhere: Path) -> None:
    found = json.loads(answer(installed / "seqmodels", "tag", "--task", "pos", "--cell", "gru", "--json", "She sings."))
    assert [token["tag"] for token in found["tokens"]] == ["PRON", "VERB", "PUNCT"]


def test_the_module_lists_every_shipped_model(installed: Path, elsewhere: Path) -> None:
    listed = json.loads(answer(installed / "python", "-m", "seqmodels", "checkpoints", "--json"))["checkpoints"]
    assert {one["name"] for one in listed} == {path.stem for path in (ROOT / "checkpoints").glob("*.safetensors")}


def test_spacy_finds_the_taggers_by_itself(installed: Path, elsewhere: Path) -> None:
    code = "import spacy; nlp = spacy.blank('en'); nlp.add_pipe('seqmodels_tagger'); print(*(t.pos_ for t in nlp('She sings.')))"
    assert answer(installed / "python", "-c", code).strip() == "PRON VERB PUNCT"


def test_the_source_tree_is_not_used_and_the_types_are_there(installed: Path, elsewhere: Path) -> None:
    package = Path(answer(installed / "python", "-c", "import seqmodels; print(seqmodels.__path__[0])").strip())
    assert installed.parent in package.parents
    assert (package / "py.typed").is_file()


@pytest.fixture
def app(installed: Path, elsewhere: Path) -> Iterator[str]:
    port = free_port()
    command = [str(installed / "seqmodels"), "app", "--port", str(port), "--host", "127.0.0.1"]
    with tempfile.TemporaryFile() as output, subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT) as server:
        address = f"http://127.0.0.1:{port}"
        try:
            wait_for(address, server, output)
            yield address
        finally:
            server.terminate()
            assert server.wait(60) in (0, -signal.SIGTERM)  # told to end, and ended so: no abort


@pytest.mark.browser
def test_the_app_reads_a_sentence(app: str) -> None:
    executable = find_browser()
    if executable is None:
        pytest.skip("no Chromium here")
    with browse(executable) as browser:
        page = browser.new_page()
        page.goto(f"{app}/Tagging?text=Dogs+bark.")  # a page of its own folder, as the first visit
        settle(page)
        expect(page.get_by_text("NOUN", exact=True).first).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_test_id("stException")).to_have_count(0)
