"""The scripts keep to what bash 3.2, macOS's own, understands.

There is no bash 3.2 to run them with here, so what came after it is looked for in their text.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parents[2] / "clients" / "scripts").glob("*.sh"))
NEWER = {
    "associative arrays (4.0)": r"\b(?:declare|local|typeset)\s+-[a-zA-Z]*A",
    "references to names (4.2, 4.3)": r"\b(?:declare|local|typeset)\s+-[a-zA-Z]*[gn]\b",
    "mapfile and readarray (4.0)": r"\b(?:mapfile|readarray)\b",
    "changing case in an expansion (4.0)": r"\$\{[A-Za-z_]\w*(?:\[[^]]*\])?(?:,,?|\^\^?)",
    "transforming an expansion (4.4)": r"\$\{[A-Za-z_]\w*(?:\[[^]]*\])?@[A-Za-z]\}",
    "negative lengths and subscripts (4.2)": r"\$\{\w+(?::\s*[\w$]+:\s*-\d|\[-)",
    "piping both outputs (4.0)": r"\|&",
    "appending both outputs (4.0)": r"&>>",
    "falling through in case (4.0)": r";;?&",
    "coprocesses (4.0)": r"^\s*coproc\b",
    "naming a descriptor (4.1)": r"\{[A-Za-z_]\w*\}[<>]",
    "wait -n (4.3)": r"\bwait\s+-n",
    "tests for variables (4.2)": r"\[\[?\s+(?:!\s+)?-v\s",
    "printf with times (4.2)": r"printf\b.*%\(",
    "read with an initial text or exactly N (4.0, 4.1)": r"\bread\s+(?:-\w+\s+)*-\w*[iN]\b",
    "variables of later versions": r"\$\{?(?:EPOCHSECONDS|EPOCHREALTIME|BASHPID|SRANDOM)\b",
    "padded sequences and steps (4.0)": r"\{(?:0\d+\.\.\d+|\w+\.\.\w+\.\.\w+)\}",
    "shell options of later versions": r"shopt\s+-s\s+(?:globstar|lastpipe|autocd|inherit_errexit)",
    "$'' with Unicode (4.2)": r"\$'[^']*\\\\u",
}
# Below `set -u`, bash before 4.4 takes an empty array for a variable that is not set.
EMPTY_ARRAY = re.compile(r"(?<!\+)(?<!\+\")\$\{(\w+)\[[@*]\]\}")
NEVER_EMPTY = {"DIGEST", "DESCRIBE", "heads", "ids"}


def code(script: Path) -> str:
    """The script without the lines that are comments only."""
    lines = script.read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_nothing_in_a_script_needs_a_newer_bash(script: Path) -> None:
    text = code(script)
    found = [name for name, pattern in NEWER.items() if re.search(pattern, text, re.MULTILINE)]
    assert found == []
    arrays = set(EMPTY_ARRAY.findall(text))
    assert arrays <= NEVER_EMPTY
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0


@pytest.mark.parametrize(
    "line",
    [
        *("declare -A x", "mapfile -t a <b", 'echo "${name,,}"', "a |& b", "wait -n", "[ -v x ]"),
        *("a &>> b", "printf '%(%s)T'", "exec {fd}<x", "local -n r=$1", "echo ${a[-1]}"),
        *("x) y ;;&", "echo ${a:0:-1}"),
    ],
)
def test_what_is_newer_is_recognised(line: str) -> None:
    assert any(re.search(pattern, line, re.MULTILINE) for pattern in NEWER.values())
