"""A run's settings: as plain values, and as a link that is read with care."""

import json
from dataclasses import replace

import pytest

from seqmodels.cells import CELLS
from seqmodels.corpora import Columns
from seqmodels.runs.settings import default_settings, from_flat, to_flat, to_link
from seqmodels.tasks import TASKS
from seqmodels.training import Clipping


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("task", TASKS)
def test_the_recipe_of_every_task_comes_back_from_its_link(task: str, cell: str) -> None:
    usual = default_settings(task, cell)
    assert to_link(usual) == {"task": task, "cell": cell}
    assert from_flat(to_link(usual)) == usual


def test_settings_come_back_from_a_link_as_they_were() -> None:
    usual = default_settings("pos", "elman")
    changed = replace(
        usual,
        model=replace(usual.model, activation="relu", initialization="identity", bidirectional=False, gain=0.5),
        training=replace(usual.training, clip=Clipping("value", 0.25), patience=None, optimizer="sgd", learning_rate=1e-4, seed=3),
        data=replace(usual.data, sentences=50, seed=7),
        probe="Fish & chips = 100 % none",
        weights_seed=9,
    )
    link = to_link(changed)
    assert all(isinstance(value, str) for value in link.values())
    assert "hidden_size" not in link
    assert from_flat(link) == changed
    assert from_flat(json.loads(json.dumps(to_flat(changed)))) == changed


def test_no_two_settings_share_a_name() -> None:
    usual = default_settings("lm")
    columns = Columns(1, 2, "a=PER")
    parts = (usual.model, usual.training, usual.data, columns)
    own = {"task", "probe", "weights_seed", "clip_threshold"}
    given = replace(usual, data=replace(usual.data, columns=columns))
    assert len(to_flat(given)) == len(own) + sum(len(vars(part)) for part in parts) - len({"columns"})
    assert from_flat(to_link(given)) == given
    assert not vars(columns).keys() & to_flat(usual).keys()


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "no task"),
        ({"task": "poss"}, "unknown task 'poss'"),
        ({"task": "pos", "cell": "gur"}, "unknown cell 'gur'"),
        ({"task": "pos", "hiden_size": "8"}, "unknown setting 'hiden_size'"),
        ({"task": "pos", "hidden_size": "many"}, "hidden_size is 'many': give a whole number"),
        ({"task": "pos", "hidden_size": "999999999"}, "hidden_size is 999999999"),
        ({"task": "pos", "epochs": "1.5"}, "epochs is '1.5'"),
        ({"task": "pos", "learning_rate": "nan"}, "learning_rate is nan"),
        ({"task": "pos", "patience": "soon"}, "or none"),
        ({"task": "pos", "bidirectional": "perhaps"}, "give true or false"),
        ({"task": "pos", "clip": "hair"}, "unknown clip kind 'hair'"),
        ({"task": "pos", "probe": "x" * 1000}, "1000 characters"),
        ({"task": "pos", "seed": "9" * 30}, "seed is '9+': give a whole number up to"),
        ({"task": "pos", "epochs": "9" * 400}, "epochs is '9+': give a whole number up to"),
        ({"task": "pos", "patience": "9" * 30}, "up to 4294967295, or none"),
    ],
)
def test_a_link_with_a_wrong_value_is_refused_in_plain_words(given: dict[str, str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        from_flat(given)
