"""The training loop: a generator of reports. It never prints, draws, or opens a file."""

from seqmodels.training.config import CLIPPINGS, LARGEST, OPTIMIZERS, SCHEDULES, WATCHED, Clipping, LiveSettings, TrainConfig
from seqmodels.training.loop import fit
from seqmodels.training.machine import ALONE, Machine, joined
from seqmodels.training.objective import ALL_ROWS, BatchLoss, DevScore, Objective, ShareableObjective, Tensors
from seqmodels.training.optimization import moments
from seqmodels.training.reports import DivergedError, Epoch, Report, Step
from seqmodels.training.state import Place, TrainState
from seqmodels.training.weights import flaw, holding
