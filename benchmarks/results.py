"""Where benchmark figures are kept: one section of `benchmarks/RESULTS.md` per command.

Of long ones it keeps a headline; all figures are then in a file of `benchmarks/results`. A section lies between two
HTML comments that carry its key, so that running one benchmark again replaces its own section and touches no other.
What users look for first also stands in the README, in the same way.
Every section states the command, the date, the machine and the versions.
"""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"
PICTURES = RESULTS.parent / "figures"
README = Path(__file__).parents[1] / "README.md"
PACKAGES = ("torch", "torchvision", "timm", "numpy", "fxscore")
HEADER = "# Results\n\nEach section is written by the command that it names; nothing is typed in by hand.\n"


def write_section(
    key: str, title: str, body: str, command: str, path: Path = RESULTS, *, headline: str | None = None
) -> None:
    """Replace the section `key` of the results file, or append it.

    Args:
        key: Identifies the section over time; letters, digits and dashes.
        title: Its heading.
        body: Markdown: tables and what they say, interval and sample size included.
        command: The shell command that prints these figures, from the repository's root.
        path: The results file.
        headline: What stands in the results file where the body is long, which then goes to a file of its own.
    """
    if not re.fullmatch(r"[a-z0-9-]+", key):
        raise ValueError(f"a section key is made of a-z, 0-9 and dashes, not {key!r}")
    begin, end = f"<!-- begin {key} -->", f"<!-- end {key} -->"
    text = path.read_text(encoding="utf-8") if path.exists() else HEADER
    if headline is not None:
        body = f"{headline}\n\nAll figures: {write_details(key, title, body, command, path)}."
    section = f"{begin}\n## {title}\n\n`{command}`\n\n{body.strip()}\n\n{environment()}\n{end}"
    old = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    known = old.search(text)
    text = old.sub(lambda _: section, text, count=1) if known else f"{text.rstrip()}\n\n{section}\n"
    path.write_text(text, encoding="utf-8")


def write_details(key: str, title: str, body: str, command: str, path: Path = RESULTS) -> str:
    """Write a file of its own beside the results file; returns a link to it, for that file. Arguments as above."""
    details = path.parent / "results" / f"{key}.md"
    details.parent.mkdir(exist_ok=True)
    text = f"# {title}\n\n`{command}`\n\n{body.strip()}\n\n{environment()}\n"
    details.write_text(text, encoding="utf-8")
    return f"[results/{key}.md](results/{key}.md)"


def write_readme(key: str, body: str, path: Path = README) -> None:
    """Replace the block `key` of the README, which stands between two comments; the first names its command."""
    block = re.compile(
        rf"(<!-- begin {re.escape(key)}: [^\n]* -->\n).*?(<!-- end {re.escape(key)} -->)", re.DOTALL
    )
    text, count = block.subn(lambda found: f"{found[1]}{body}\n{found[2]}", path.read_text(encoding="utf-8"))
    if count != 1:
        raise ValueError(f"{path} has {count} blocks named {key}, not one")
    path.write_text(text, encoding="utf-8")


def picture(name: str, title: str, draw: Callable[[Path], object]) -> str:
    """Draw a picture beside the results file; returns the Markdown that shows it there."""
    PICTURES.mkdir(exist_ok=True)
    draw(PICTURES / name)
    return f"![{title}]({PICTURES.name}/{name})"


def environment() -> str:
    """One line: date, Python, package versions, processor and threads used."""
    import torch

    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    threads = torch.get_num_threads()
    return (
        f"*{date.today().isoformat()}, Python {platform.python_version()}, {packages}, {processor()}, "
        f"{threads} thread{'s' if threads != 1 else ''}.*"
    )


def processor() -> str:
    """The processor's name, as the system states it."""
    info = Path("/proc/cpuinfo")
    if info.exists() and (match := re.search(r"model name\s*: (.+)", info.read_text(encoding="utf-8"))):
        return match[1].strip()
    return platform.processor() or platform.machine()


def command_line() -> str:
    """The command that is running, as it would be typed from the repository's root."""
    return " ".join(["python", "-m", f"benchmarks.{Path(sys.argv[0]).stem}", *sys.argv[1:]])


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; numbers are right-aligned, floats have three decimals."""
    lines = [list(map(_cell, row)) for row in rows]
    rule = ["---" if not lines or not _is_number(lines[0][i]) else "---:" for i in range(len(columns))]
    return "\n".join("| " + " | ".join(line) + " |" for line in [list(columns), rule, *lines])


def _cell(value: object) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|")


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[-+−]?[\d.,]+( .*)?", text) is not None
