"""A training as pictures: a run's history in, options for an ECharts chart or safe HTML out.

ECharts keeps its canvas when its data changes, so a chart that grows every second doesn't blink. What is sent stays small: a line
has at most MOST points. `x` is in epochs everywhere; a missing number is a gap in its line.
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
    race,
    rates,
    saturation,
    scores,
)
from seqmodels.viz.training.frame import Option
from seqmodels.viz.training.words import (
    changed_tags,
    chips,
    difference,
    duration,
    facts,
    marks,
    metric_title,
    named,
    place_title,
    score,
    standings,
    when,
    writing,
)
