"""The command line: `python -m explorer check answers/*.json` trains answers to challenges again and says which are right."""

import argparse
import io
import sys
from collections.abc import Sequence

from explorer.sharing.answers import HEADINGS, check_files, named_files, table_line, table_widths
from explorer.training.compiled import KERNELS


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the files that the arguments name; return 0 if every one could be read and is solved, else 1."""
    parser = argparse.ArgumentParser(prog="python -m explorer", description="Gradient Explorer, without its pages.")
    commands = parser.add_subparsers(title="commands", required=True)
    check = commands.add_parser("check", help="train answers to challenges again, and print which of them are solved")
    check.add_argument("files", nargs="+", metavar="FILE", help="an answer, as the page Homework saves it")
    files = named_files(parser.parse_args(arguments).files)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a console that has no ¼ need not stop the table
    KERNELS.load()
    widths, every_one = table_widths(files), True
    print(table_line(HEADINGS, widths))
    for checked in check_files(files):
        print(table_line(checked.row(), widths), flush=True)
        every_one &= checked.judgment.solved
    return 0 if every_one else 1


if __name__ == "__main__":
    sys.exit(main())
