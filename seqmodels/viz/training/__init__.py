"""A training as pictures: a run's history in, options for an ECharts chart or safe HTML out.

ECharts keeps its canvas when its data changes, so a chart that grows every second doesn't blink. What is sent stays small: a line
has at most MOST points. `x` is in epochs everywhere; a figure that is no number is a gap in its line.
"""

from seqmodels.viz.training.charts import (
    HEIGHT,
    OVERLAYS,
    SMALL,
    half_lives,
    losses,
    norms,
    overlay,
    places,
    rates,
    saturation,
    scores,
)
from seqmodels.viz.training.frame import LARGEST, Option
from seqmodels.viz.training.points import MOST, highest, mean, thin
from seqmodels.viz.training.texts import changed_tags, chips, facts, writing
from seqmodels.viz.training.words import (
    Mark,
    changes,
    clipped_share,
    clipping,
    duration,
    marks,
    metric_title,
    named,
    percent,
    place_title,
    score,
    short,
)

__all__ = [
    "HEIGHT",
    "LARGEST",
    "MOST",
    "OVERLAYS",
    "SMALL",
    "Mark",
    "Option",
    "changed_tags",
    "changes",
    "chips",
    "clipped_share",
    "clipping",
    "duration",
    "facts",
    "half_lives",
    "highest",
    "losses",
    "marks",
    "mean",
    "metric_title",
    "named",
    "norms",
    "overlay",
    "percent",
    "place_title",
    "places",
    "rates",
    "saturation",
    "score",
    "scores",
    "short",
    "thin",
    "writing",
]
