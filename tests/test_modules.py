"""The gates of other people's torch networks obey the law and give torch's own outputs."""

from __future__ import annotations

import inspect
import io
import json
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import seqmodels
from seqmodels import export, traces, viz
from seqmodels.cells import CELLS
from seqmodels.recurrence import Recurrent
from seqmodels.traces import LayerTrace, Trace, law_error, trace_module, watch
from seqmodels.viz.comparisons import TwoTexts

TOLERANCE = 1e-5
KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "tanh": (nn.RNN, {}),
    "relu": (nn.RNN, {"nonlinearity": "relu"}),
    "gru": (nn.GRU, {}),
    "lstm": (nn.LSTM, {}),
}
INPUTS, UNITS, TIME, BATCH = 3, 5, 7, 4


def make(kind: str, **options: Any) -> nn.RNNBase:
    torch.manual_seed(3)
    module, own = KINDS[kind]
    made: nn.RNNBase = module(INPUTS, UNITS, **own, **options)
    return made


def begin(module: nn.RNNBase, *batch: int) -> Any:
    """A start that is not zero: h_0, or h_0 and c_0."""
    shape = (module.num_layers * (2 if module.bidirectional else 1), *batch, UNITS)
    return (torch.randn(shape), torch.randn(shape)) if isinstance(module, nn.LSTM) else torch.randn(shape)


def error(layer: LayerTrace) -> float:
    """How far a layer is from the law; spelled out, because the trace's own idea of the memory before is under test too."""
    before = np.zeros(layer.mu.shape[1]) if layer.start is None else layer.start
    largest = 0.0
    for token in range(len(layer.mu))[:: -1 if layer.backward else 1]:
        law = layer.mu[token] * before + layer.lam[token] * layer.candidate[token]
        largest = max(largest, float(np.abs(law - layer.memory[token]).max()))
        shown = layer.memory[token] if layer.output_gate is None else layer.output_gate[token] * np.tanh(layer.memory[token])
        largest = max(largest, float(np.abs(shown - layer.output[token]).max()))
        before = layer.memory[token]
    return largest


def check(traced: Trace, own: Tensor) -> None:
    """The law in every layer and direction, and on top torch's own output (time, directions * units)."""
    assert max(map(error, traced.layers)) <= TOLERANCE
    top = max(layer.layer for layer in traced.layers)
    output = np.concatenate([layer.output for layer in traced.layers if layer.layer == top], axis=1)
    np.testing.assert_allclose(output, own.detach().numpy(), atol=TOLERANCE)


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_traces_of_a_batch_obey_the_law_and_give_torchs_outputs(
    kind: str, layers: int, bidirectional: bool, batch_first: bool
) -> None:
    module = make(kind, num_layers=layers, bidirectional=bidirectional, batch_first=batch_first)
    inputs = torch.randn(BATCH, TIME, INPUTS)
    start = begin(module, BATCH)
    given = inputs if batch_first else inputs.transpose(0, 1)
    for state in (None, start):
        outputs = module(given, state)[0] if batch_first else module(given, state)[0].transpose(0, 1)
        found = trace_module(module, given, start=state)
        assert len(found) == BATCH
        for traced, own in zip(found, outputs, strict=True):
            assert len(traced.layers) == layers * (1 + bidirectional)
            check(traced, own)


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_padding_is_left_out_and_a_sequence_is_read_as_if_it_were_alone(kind: str, batch_first: bool) -> None:
    module = make(kind, num_layers=2, bidirectional=True, batch_first=batch_first, bias=False)
    lengths = [2, 7, 1, 5]
    inputs, start = torch.randn(BATCH, TIME, INPUTS), begin(module, BATCH)
    given = inputs if batch_first else inputs.transpose(0, 1)
    packed = pack_padded_sequence(given, torch.tensor(lengths), batch_first, enforce_sorted=False)
    outputs = pad_packed_sequence(module(packed, start)[0], batch_first=True)[0]
    for found in (trace_module(module, packed, start=start), trace_module(module, given, lengths=lengths, start=start)):
        for number, (traced, length) in enumerate(zip(found, lengths, strict=True)):
            assert len(traced.tokens) == length
            check(traced, outputs[number, :length])
            own = tuple(part[:, number] for part in start) if isinstance(start, tuple) else start[:, number]
            [alone] = trace_module(module, inputs[number, :length], start=own)
            for layer, same in zip(traced.layers, alone.layers, strict=True):
                np.testing.assert_allclose(layer.memory, same.memory, atol=TOLERANCE)
                np.testing.assert_allclose(layer.mu, same.mu, atol=TOLERANCE)


def test_tokens_are_the_words_of_each_sequence_and_must_be_as_many_as_its_steps() -> None:
    module = make("gru", batch_first=True)
    assert trace_module(module, torch.randn(3, INPUTS), ["a", "b", "c"])[0].tokens == ("a", "b", "c")
    assert trace_module(module, torch.randn(3, INPUTS))[0].tokens == ("0", "1", "2")
    inputs = torch.randn(2, 3, INPUTS)
    found = trace_module(module, inputs, [["a", "b", "c"], ["d"]], lengths=[3, 1], name="mine")
    assert [(traced.tokens, traced.label) for traced in found] == [(("a", "b", "c"), "mine"), (("d",), "mine")]
    with pytest.raises(ValueError, match="1 tokens for a sequence of 3 steps"):
        trace_module(module, inputs, [["a", "b", "c"], ["d"]])
    with pytest.raises(ValueError, match="tokens for 1 sequences, and the batch has 2"):
        trace_module(module, inputs, ["a", "b", "c"])
    with pytest.raises(ValueError, match="1 lengths, and the batch has 2 sequences"):
        trace_module(module, inputs, lengths=[3])
    with pytest.raises(ValueError, match="leave lengths out"):
        trace_module(module, pack_padded_sequence(inputs, torch.tensor([3, 1]), batch_first=True), lengths=[3, 1])


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
@pytest.mark.parametrize("kind", KINDS)
def test_a_network_of_another_precision_is_read_in_float32(kind: str, dtype: torch.dtype) -> None:
    module = make(kind, num_layers=2).to(dtype)
    for layer in trace_module(module, torch.randn(TIME, INPUTS, dtype=dtype))[0].layers:
        assert {values.dtype for values in layer.arrays().values()} == {np.dtype(np.float32)}


class Reader(nn.Module):
    """A model as people write them: layers at different depths, one of them called twice, a state handed on step by step."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict({"rnn": make("lstm", num_layers=2, bidirectional=True, dropout=0.5, batch_first=True)})
        self.decoder = nn.GRU(2 * UNITS, UNITS)
        self.alias = self.decoder
        self.step = nn.GRUCell(UNITS, UNITS)
        self.projected = nn.LSTM(UNITS, UNITS, proj_size=2)
        self.encoded: list[Tensor] = []

    def forward(self, inputs: Tensor) -> Tensor:
        encoded, _ = self.encoder["rnn"](inputs)
        again, _ = self.encoder["rnn"](input=inputs.flip(1), hx=None)
        self.encoded = [encoded, again]
        state, outputs = None, []
        for step in encoded.transpose(0, 1):
            output, state = self.decoder(step[None], state)
            outputs.append(self.step(output[0]))
        return torch.stack(outputs)


def test_watching_reads_every_call_of_every_layer_and_changes_nothing() -> None:
    model = Reader()
    inputs = torch.randn(BATCH, TIME, INPUTS)
    for training in (True, False):
        model.train(training)
        torch.manual_seed(5)
        expected = model(inputs)
        torch.manual_seed(5)
        with watch(model) as seen:
            found = model(inputs)
        assert torch.equal(found, expected)
        found.sum().backward()
        assert seen.names == ("encoder.rnn", "decoder")
        assert [len(traces) for traces in seen.calls("encoder.rnn")] == [BATCH, BATCH]
        assert len(list(seen)) == BATCH * (2 + TIME)
        for call, outputs in enumerate(model.encoded):  # in training with the dropout that was drawn between its layers
            for sequence in range(BATCH):
                check(seen.trace("encoder.rnn", call=call, sequence=sequence), outputs[sequence])
        steps = seen.steps("alias", sequence=1)
        assert steps.layers[0].memory.shape == (TIME, UNITS)
        assert steps.label == "decoder"
        whole, _ = model.decoder(model.encoded[0].transpose(0, 1))
        check(steps, whole[:, 1])


def test_watching_works_without_gradients_and_ends_with_its_block() -> None:
    model = make("gru", num_layers=2, dropout=0.3)
    inputs = torch.randn(TIME, BATCH, INPUTS)
    with torch.inference_mode(), watch(model) as seen:
        outputs, _ = model(inputs)
    check(seen.trace(sequence=2, tokens=list("abcdefg")), outputs[:, 2])
    with pytest.raises(RuntimeError), watch(model) as stopped:
        model(model(inputs)[0])  # 5 features where 3 are read: fails after one call
    model(inputs)
    assert len(list(seen)) == len(list(stopped)) == BATCH
    assert not model._forward_hooks
    assert not model._forward_pre_hooks


class Doubled(nn.GRU):
    def forward(self, *given: Any) -> Any:
        outputs, end = super().forward(*given)
        return 2 * outputs, end


@pytest.mark.parametrize(
    ("module", "says"),
    [
        (nn.LSTM(INPUTS, UNITS, proj_size=2), "'it' is nn.LSTM with projections"),
        (nn.GRUCell(INPUTS, UNITS), "'it' is GRUCell: choose a layer of nn.RNN, nn.GRU or nn.LSTM"),
        (nn.Linear(INPUTS, UNITS), "'it' is Linear"),
        (Doubled(INPUTS, UNITS), "the gates of 'it' do not give its outputs"),
    ],
)
def test_what_cannot_be_read_is_said_by_name(module: nn.Module, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        trace_module(module, torch.randn(TIME, BATCH, INPUTS), name="it")


def test_a_watched_model_says_what_it_cannot_show() -> None:
    model = nn.ModuleDict({"cell": nn.GRUCell(3, 3), "odd": Doubled(3, 3), "rnn": nn.RNN(3, 3, bidirectional=True)})
    with watch(model) as seen:
        model["odd"](torch.randn(2, 3))
    with pytest.raises(ValueError, match="'odd' do not give its outputs"):
        seen.trace("odd")
    with pytest.raises(ValueError, match="'cell' is GRUCell"):
        seen.trace("cell")
    with pytest.raises(ValueError, match="several layers: choose one of 'odd', 'rnn'"):
        seen.trace()
    with pytest.raises(ValueError, match="'rnn' was not called"):
        seen.trace("rnn")
    with watch(model["rnn"]) as again:
        for _ in range(2):
            model["rnn"](torch.randn(2, 3))
    with pytest.raises(ValueError, match="no call 2"):
        again.trace(call=2)
    with pytest.raises(ValueError, match="two directions"):
        again.steps()
    with pytest.raises(ValueError, match=r"'0' is LSTMCell.*; '1' is nn\.LSTM with projections"):
        watch(nn.Sequential(nn.LSTMCell(2, 2), nn.LSTM(2, 2, proj_size=1))).__enter__()
    with pytest.raises(ValueError, match="Linear"), watch(nn.Linear(2, 2)):
        pass


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("lengths", [[7, 2, 1], [7, 2, 8, 1], [7, 0, 1, 1], [[7, 2, 1, 1]]])
def test_lengths_that_do_not_fit_the_batch_are_refused(lengths: Any, batch_first: bool) -> None:
    inputs = torch.randn(BATCH, TIME, INPUTS) if batch_first else torch.randn(TIME, BATCH, INPUTS)
    with pytest.raises(ValueError, match="length"):
        trace_module(make("gru", batch_first=batch_first), inputs, lengths=lengths)
    with pytest.raises(ValueError, match="single sequence"):
        trace_module(make("gru"), torch.randn(TIME, INPUTS), lengths=[TIME])


class Bare(nn.GRU):
    """A subclass that takes and gives something else than torch's."""

    def forward(self, words: Tensor, /) -> Any:  # type: ignore[override]
        return super().forward(words)[1]


def test_a_model_that_cannot_be_read_runs_as_if_it_were_not_watched() -> None:
    for module in (Bare(INPUTS, UNITS), nn.LSTM(INPUTS, UNITS, device="meta")):
        inputs = torch.randn(TIME, BATCH, INPUTS, device=next(module.parameters()).device)
        with watch(module) as seen:
            module(inputs)
        with pytest.raises(ValueError, match=r"cannot be read|meta device"):
            seen.trace()


def test_calls_that_do_not_follow_each_other_are_no_steps() -> None:
    model = make("lstm")
    with watch(model) as seen:
        for _ in range(2):
            model(torch.randn(2, INPUTS))
    with pytest.raises(ValueError, match="call 1 does not start where call 0 ended"):
        seen.steps()
    with pytest.raises(ValueError, match="no call 0 with a sequence 3"):
        seen.steps(sequence=3)


@pytest.mark.parametrize("picture", ["heatmaps", "square", "lines", "equation_map"])
def test_a_selection_that_a_trace_does_not_have_is_said(picture: str) -> None:
    [found] = trace_module(make("gru"), torch.randn(2, INPUTS))
    draw = getattr(viz, picture)
    with pytest.raises(ValueError, match="no token 2: give a number from 0 to 1"):
        draw(found, viz.Focus(token=2))
    with pytest.raises(ValueError, match="no unit 500: give a number from 0"):
        draw(found, viz.Focus(unit=500))


@pytest.fixture(params=[*KINDS])
def traced(request: pytest.FixtureRequest) -> Trace:
    """A network of two layers and both directions over words that a page must not read as markup, from a start of its own."""
    module = make(request.param, num_layers=2, bidirectional=True)
    words = ["<b>", "old", "the", "old", "&", "x" * 40]
    return trace_module(module, torch.randn(len(words), INPUTS), words, start=begin(module), name="encoder.rnn")[0]


def test_every_picture_of_a_trace_takes_it(traced: Trace) -> None:
    of_traces = [name for name in dir(viz) if _asks_for_traces(getattr(viz, name))]
    assert {"heatmaps", "contributions", "lines", "square", "retention"} <= set(of_traces)
    for direction in (traces.FORWARD, traces.BACKWARD):
        focus = viz.Focus(layer=0, direction=direction, token=2, unit=1, window=slice(1, 5))
        drawn = [viz.curves([traced, traced], focus), viz.text_difference(TwoTexts.of(traced, traced), focus)]
        for name in of_traces:
            picture = getattr(viz, name)
            drawn.append(picture(*[traced] * len(_required(picture)), focus))
        assert all(isinstance(figure, go.Figure) for figure in drawn)


def _required(picture: Any) -> list[str]:
    parameters = inspect.signature(picture).parameters.values()
    return [str(parameter.annotation) for parameter in parameters if parameter.default is parameter.empty]


def _asks_for_traces(picture: Any) -> bool:
    return inspect.isfunction(picture) and set(_required(picture)) == {"Trace"}


def test_every_number_that_needs_no_head_takes_it(traced: Trace) -> None:
    for layer in traced.layers:
        assert float(traces.law_error(layer).max()) <= TOLERANCE
        assert layer.start is not None
        np.testing.assert_array_equal(layer.previous()[len(traced.tokens) - 1 if layer.backward else 0], layer.start)
        left = traces.unit_retention(layer, 5 if layer.backward else 0)[2] * layer.mu[5 if layer.backward else 0]
        np.testing.assert_allclose(traces.contributions(layer, 2).sum(axis=0) + left * layer.start, layer.memory[2], atol=TOLERANCE)
        assert traces.summary(layer).regimes.sum() == pytest.approx(1)
        assert traces.contribution_norms(layer).shape == (len(traced.tokens),) * 2
        for window in (slice(1, 4), slice(0, 2), slice(3, 6)):
            assert float(traces.law_error(layer.window(window)).max()) <= TOLERANCE
    for layer in traces.collapse(traced, slice(2, 4)).layers:
        assert float(traces.law_error(layer).max()) <= TOLERANCE


def test_its_files_hold_the_start_too(traced: Trace) -> None:
    written = json.loads(export.trace_json(traced))
    with np.load(io.BytesIO(export.trace_npz(traced))) as archive:
        for layer, saved in zip(traced.layers, written["layers"], strict=True):
            assert layer.start is not None
            np.testing.assert_array_equal(archive[f"{layer.layer}/{layer.direction}/start"], layer.start)
            np.testing.assert_allclose(np.array(saved["start"], np.float32), layer.start, atol=1e-7)


def test_the_facade_has_both() -> None:
    assert seqmodels.trace_module is trace_module
    assert seqmodels.watch is watch


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_this_librarys_own_layers_are_watched_too(cell: str, bidirectional: bool) -> None:
    torch.manual_seed(0)
    model = Recurrent(cell, 3, 4, layers=2, bidirectional=bidirectional)
    inputs = torch.randn(1, 6, 3)
    with watch(model) as seen:
        outputs, _ = model(inputs)
    assert seen.names == ("kernels.0", "kernels.1")
    last = seen.trace("kernels.1")
    assert last.cell == cell
    assert max(law_error(layer).max() for layer in last.layers) < 1e-5
    np.testing.assert_allclose(np.concatenate([layer.output for layer in last.layers], axis=1), outputs[0].detach(), atol=1e-5)
