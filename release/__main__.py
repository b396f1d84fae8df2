"""`python -m release`: see `release.files`."""

from __future__ import annotations

import sys
from pathlib import Path

from release.files import ROOT, ReleaseError, make

if __name__ == "__main__":
    try:
        for path in make(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"):
            print(path)
    except ReleaseError as problem:
        sys.exit(str(problem))
