"""The tables of DATA, and whether they are of its photos."""

import csv
from collections.abc import Iterable
from pathlib import Path

from .errors import UserError


def read_rows(path: Path, *columns: str) -> list[dict[str, str]]:
    """:raises UserError: if a row has no value for one of the columns"""
    rows = []
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            for column in columns:
                if row.get(column) is None:
                    raise UserError(
                        f"{path}, line {reader.line_num} has no {column}: "
                        f"its first line is to name {','.join(columns)}, and each other to have them"
                    )
            rows.append(row)
    return rows


def check_rows(table: Path, names: Iterable[str], photos: list[Path]) -> None:
    """
    :param names: the photos that the table's usable rows are of
    :raises UserError: if there is another photo, or not one of these
    """
    named, there = set(names), {path.name: path for path in photos}
    for name in sorted(named ^ there.keys()):
        if name in there:
            raise UserError(f"{table} has no usable row of {there[name]}: add one, or take the photo away")
        raise UserError(f"{table} has a row of {name}, and no such photo is there: add it, or take the row away")
