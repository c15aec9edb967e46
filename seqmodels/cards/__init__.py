"""What is measured of the checkpoints, as small files beside them: scores by tag and type, errors, calibration, speed, differences.

Reading a card needs neither torch nor a corpus. `seqmodels.cards.measuring` makes them.
"""

from seqmodels.cards.record import (
    BINS,
    FREQUENCY,
    Band,
    Bin,
    Calibration,
    Card,
    CardError,
    Confusion,
    Difference,
    Error,
    Example,
    Guess,
    Pair,
    Result,
    Speed,
    Tally,
    TaskCard,
    card_path,
    cards_folder,
    checkpoint_names,
    is_current,
    read_card,
    read_cards,
    read_task_card,
    read_task_cards,
    sha256_of,
    task_card_path,
)
from seqmodels.cards.rivals import RIVALS, Rival
