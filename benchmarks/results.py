"""Where benchmark figures are kept: one section per command, in the `RESULTS.md` of the question's folder.

Of long ones it keeps a headline; all figures are then in a file of the folder `results` beside it. A section lies
between two HTML comments that carry its key, so that running one benchmark again replaces its own section and touches
no other. `benchmarks/RESULTS.md` lists all sections. What users look for first also stands on pages of `docs/`, in the
same way. Every section states the command, the date, the machine and the versions.
"""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks.catalogue import QUESTIONS, ROOT, question_of
from fxscore.provenance import command_line as command_of

DOCS = ROOT.parent / "docs"
PACKAGES = ("torch", "torchvision", "timm", "numpy", "fxscore")
NOTE = "Each section is written by the command that it names; nothing is typed in by hand.\n"
SECTION = re.compile(
    r"<!-- begin (?P<key>\S+) -->\n## (?P<title>[^\n]*)\n\n`(?P<command>[^`]*)`\n.*?"
    r"\n\*(?P<date>\d{4}-\d\d-\d\d), [^\n]*\n<!-- end (?P=key) -->",
    re.DOTALL,
)


@dataclass(frozen=True)
class Section:
    """What the index says of a section: its folder, key, title, command and date."""

    folder: str
    key: str
    title: str
    command: str
    date: str


def write_section(
    key: str, title: str, body: str, command: str, path: Path | None = None, *, headline: str | None = None
) -> None:
    """Replace the section `key` of the results file, or append it.

    Args:
        key: Identifies the section over time; letters, digits and dashes.
        title: Its heading.
        body: Markdown: tables and what they say, interval and sample size included.
        command: The shell command that prints these figures, from the repository's root.
        path: The results file; by default that of the command's question, and the index is brought up to date.
        headline: What stands in the results file where the body is long, which then goes to a file of its own.
    """
    if not re.fullmatch(r"[a-z0-9-]+", key):
        raise ValueError(f"a section key is made of a-z, 0-9 and dashes, not {key!r}")
    file = path or results_file(command)
    begin, end = f"<!-- begin {key} -->", f"<!-- end {key} -->"
    text = file.read_text(encoding="utf-8") if file.exists() else f"# Results\n\n{NOTE}"
    if headline is not None:
        body = f"{headline}\n\nAll figures: {write_details(key, title, body, command, file)}."
    section = f"{begin}\n## {title}\n\n`{command}`\n\n{body.strip()}\n\n{environment()}\n{end}"
    old = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    known = old.search(text)
    text = old.sub(lambda _: section, text, count=1) if known else f"{text.rstrip()}\n\n{section}\n"
    file.write_text(text, encoding="utf-8")
    if path is None:
        write_index()


def results_file(command: str) -> Path:
    """The file that a benchmark's sections stand in."""
    return ROOT / question_of(command) / "RESULTS.md"


def write_details(key: str, title: str, body: str, command: str, path: Path | None = None) -> str:
    """Write a file of its own beside the results file; returns a link to it, for that file. Arguments as above."""
    details = (path or results_file(command)).parent / "results" / f"{key}.md"
    details.parent.mkdir(exist_ok=True)
    text = f"# {title}\n\n`{command}`\n\n{body.strip()}\n\n{environment()}\n"
    details.write_text(text, encoding="utf-8")
    return f"[results/{key}.md](results/{key}.md)"


def sections(root: Path = ROOT) -> list[Section]:
    """Every section that there is, question by question."""
    return [
        Section(folder, *found.group("key", "title", "command", "date"))
        for folder in QUESTIONS
        if (file := root / folder / "RESULTS.md").exists()
        for found in SECTION.finditer(file.read_text(encoding="utf-8"))
    ]


def write_index(root: Path = ROOT) -> None:
    """Write the list of all sections, `RESULTS.md` of the root."""
    lines = ["# Results", "", NOTE.strip(), "`python -m benchmarks` lists the commands.", ""]
    lines += ["| question | section | date |", "| --- | --- | --- |"]
    for each in sections(root):
        link = f"[{each.title}]({each.folder}/RESULTS.md#{anchor(each.title)})"
        lines.append(f"| {each.folder} | {link} | {each.date} |")
    (root / "RESULTS.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def anchor(title: str) -> str:
    """The name that GitHub gives a heading."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def write_block(key: str, body: str, path: Path) -> None:
    """Replace the block `key` of a page, which stands between two comments; the first names its command."""
    block = re.compile(
        rf"(<!-- begin {re.escape(key)}: [^\n]* -->\n).*?(<!-- end {re.escape(key)} -->)", re.DOTALL
    )
    text, count = block.subn(lambda found: f"{found[1]}{body}\n{found[2]}", path.read_text(encoding="utf-8"))
    if count != 1:
        raise ValueError(f"{path} has {count} blocks named {key}, not one")
    path.write_text(text, encoding="utf-8")


def picture(name: str, title: str, draw: Callable[[Path], object]) -> str:
    """Draw a picture beside the results file of the running benchmark; returns the Markdown that shows it there."""
    folder = results_file(command_line()).parent / "figures"
    folder.mkdir(exist_ok=True)
    draw(folder / name)
    return f"![{title}]({folder.name}/{name})"


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
    module = sys.modules["__main__"].__spec__
    name = module.name.removesuffix(".__main__") if module else Path(sys.argv[0]).stem
    return command_of(f"python -m {name}", sys.argv[1:])


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
