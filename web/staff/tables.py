"""Tables of the staff's page, which on a narrow screen become a list: every cell then says what it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from web.staff.room import escaped

__all__ = ["table_html"]


def table_html(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column names its rows.

    Parameters: the columns' names, and for each row its cells as HTML.
    """
    heads = "".join(f'<th scope="col">{escaped(name)}</th>' for name in columns)
    body = "".join(_row(columns, cells) for cells in rows)
    return f'<table class="pf-table pf-stacked"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'


def _row(columns: Sequence[str], cells: Sequence[str]) -> str:
    named, *others = zip(columns, cells, strict=True)
    told = "".join(f'<td><span class="pf-named">{escaped(name)}: </span>{cell or "–"}</td>' for name, cell in others)
    return f'<tr><th scope="row">{named[1]}</th>{told}</tr>'
