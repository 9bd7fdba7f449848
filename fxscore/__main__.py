"""The `fxscore` command, also reached by `python -m fxscore`."""

from __future__ import annotations


def main() -> None:
    """Run the command line on `sys.argv` and exit with its code."""
    from fxscore.cli.app import run

    raise SystemExit(run())


if __name__ == "__main__":
    main()
