"""Record what a real API server answers to the conformance cases.

::

    python scripts/record_conformance.py --kubeconfig FILE [CASE ...]

Without cases: all of them. The server should be a kube-apiserver of the version that the embedded one is
measured by.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
from pathlib import Path

from kubewright.client import connect
from kubewright.client.kubeconfig import load_config

REPLAY = Path(__file__).resolve().parent.parent / "tests/conformance/replay.py"


async def record(kubeconfig: Path, names: list[str]) -> None:
    """Write ``recorded/<case>.json`` for each case."""
    spec = importlib.util.spec_from_file_location("conformance_replay", REPLAY)
    replay = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(replay)
    client = connect(load_config(kubeconfig=kubeconfig))
    try:
        for name in names or replay.case_names():
            answers = await replay.run(name, client.transport)
            path = replay.RECORDED / f"{name}.json"
            path.write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n")
            print(f"{name}: {len(answers)} answers")
    finally:
        await client.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("cases", nargs="*")
    arguments = parser.parse_args()
    asyncio.run(record(arguments.kubeconfig, arguments.cases))


if __name__ == "__main__":
    main()
