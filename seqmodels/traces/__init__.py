"""What the gates did to a text, and what follows from it: who wrote the memory, how long it lasts, what would change it."""

from seqmodels.tasks.batching import windows
from seqmodels.traces.attribution import Attribution, attribute, likely
from seqmodels.traces.behaviour import (
    HIGH,
    OPEN,
    ORDERS,
    REGIMES,
    SHUT,
    Band,
    Regime,
    Saturation,
    band,
    half_life,
    liveliest,
    most_changed,
    moves,
    quantile,
    regimes,
    saturation,
    unit_order,
    unit_regimes,
)
from seqmodels.traces.compare import (
    CURVES,
    Aligned,
    Summary,
    align,
    curve,
    difference,
    distance,
    normalized_distance,
    summary,
    turnover,
)
from seqmodels.traces.contributions import (
    START,
    collapse,
    contribution_norms,
    contribution_shares,
    contributions,
    law_error,
    retention,
    retention_map,
    start_contributions,
    start_retention,
    unit_retention,
    with_start,
)
from seqmodels.traces.gap import Diagnosis, GapProbe, diagnose, gap_probe
from seqmodels.traces.gradients import GradientPath, gradient_path, rate
from seqmodels.traces.intervention import CLAMPED_GATES, Clamp, Intervention, continue_intervened, intervene
from seqmodels.traces.layers import (
    BACKWARD,
    FORWARD,
    Array,
    LayerTrace,
    Trace,
    tag_and_trace,
    trace,
    trace_encoded,
    trace_layers,
)
from seqmodels.traces.matches import (
    SEARCHED_GATES,
    Match,
    Pattern,
    SearchedGate,
    TracedText,
    find_matches,
    match_of,
    passages_of,
    pattern,
    trace_passages,
    units_on,
)
from seqmodels.traces.modules import Watched, trace_module, watch
from seqmodels.traces.switching import Invented, Switch, continue_switched, invent
