from __future__ import annotations

import subprocess
import sys

HEAVY = ["aiohttp", "yarl", "multidict", "yaml", "cryptography", "importlib.metadata", "logging.config"]


def test_importing_the_client_loads_nothing_heavy():
    code = f"import sys, kubewright.client; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
