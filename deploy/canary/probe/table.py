"""The checks, and the table that they make."""
import dataclasses
import re
import traceback
from typing import Callable


@dataclasses.dataclass
class Check:
    number: str
    question: str
    expectation: str
    run: Callable


@dataclasses.dataclass
class Row:
    check: Check
    observation: str
    # True: as expected. False: not so. None: could not be asked here.
    verdict: bool | None

    @property
    def word(self):
        return {True: "as expected", False: "DIFFERS", None: "not asked"}[self.verdict]


CHECKS: list[Check] = []


class NotHere(Exception):
    """This cannot be asked here; says why."""


def check(number, question, expectation):
    """A function of a site that returns what was observed, and whether that was expected."""

    def add(run):
        CHECKS.append(Check(number, question, expectation, run))
        return run

    return add


def make(site, rows, progress=lambda row: None):
    """Adds a row for each check, as it is made."""
    for one in CHECKS:
        try:
            observation, verdict = one.run(site)
        except NotHere as reason:
            observation, verdict = str(reason), None
        except Exception as error:  # one that fails must not hide the others
            traceback.print_exc()
            observation, verdict = f"{type(error).__name__}: {error}", False
        rows.append(Row(one, observation, bool(verdict) if verdict is not None else None))
        progress(rows[-1])


def cell(text):
    return " ".join(str(text).replace("|", "\\|").split())


def text(rows):
    lines = ["| # | question | expectation | observation | verdict |", "|---|---|---|---|---|"]
    for row in rows:
        one = row.check
        lines.append(f"| {' | '.join(map(cell, (one.number, one.question, one.expectation, row.observation, row.word)))} |")
    return "\n".join(lines)


def differences(page):
    """Where the page's table has other questions or expectations than the checks; empty where it has not."""
    on_page = re.findall(r"^\| (\S+) \| (.*?) \| (.*?) \| ", page, re.M)
    ours = [(one.number, cell(one.question), cell(one.expectation)) for one in CHECKS]
    on_page = [row for row in on_page if row[0] not in ("#",) and not row[0].startswith("--")]
    return [f"only in the page: {row}" for row in on_page if row not in ours] + [
        f"not in the page: {row}" for row in ours if row not in on_page
    ]
