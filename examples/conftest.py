"""The examples are projects of their own: their packages are imported from their ``src`` folders."""

import sys
from pathlib import Path

sys.path[:0] = [str(source) for source in sorted(Path(__file__).parent.glob("*/src"))]
