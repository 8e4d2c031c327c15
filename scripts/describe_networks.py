"""Write down how the networks of chapter 3-7-1 are built, for the ArchitectureExplorer.

    python scripts/describe_networks.py

Makes each of them once, which takes half a minute and three gigabytes of memory, and writes
src/convbook/widgets/networks.json. `tests/widgets/test_architecture.py` compares it with the
networks.
"""

import json

from convbook.models.evolution import FULL, SMALL
from convbook.widgets.architecture import FILE, described


def main():
    """Write one network to a line."""
    lines = [
        f"{json.dumps(name)}: {json.dumps(described(make(rng=0), shape), ensure_ascii=False)}"
        for name, (make, shape) in {**FULL, **SMALL}.items()
    ]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{len(lines)} networks, {FILE.stat().st_size / 1000:.0f} kB: {FILE.name}")


if __name__ == "__main__":
    main()
