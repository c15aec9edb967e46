"""Write deploy/haproxy.cfg, the proxy's part of compose.yaml, as `seqmodels app --replicas` configures its own.

python -m docs.haproxy        # for two replicas, app-1 and app-2
python -m docs.haproxy 3      # for three
"""

from __future__ import annotations

import sys
from pathlib import Path

from seqmodels.cli.replicas import Replica, haproxy

FILE = Path(__file__).parent.parent / "deploy" / "haproxy.cfg"
PORT = 8501


def configuration(count: int) -> str:
    """For so many containers, by their names in compose.yaml."""
    names = [f"app-{number}" for number in range(1, count + 1)]
    made = haproxy("*", PORT, [Replica(name, name, PORT) for name in names], by_name=True)
    return f"# made by `python -m docs.haproxy {count}`\n{made}"


if __name__ == "__main__":
    FILE.write_text(configuration(int(sys.argv[1]) if len(sys.argv) > 1 else 2), encoding="utf-8")
