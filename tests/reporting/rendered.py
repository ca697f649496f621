"""Tables as each format writes them."""

from benchmark.reporting.render import latex, markdown, spreadsheet
from benchmark.reporting.render import text as plain


def to_text(table, **options):
    return plain.render(table.grid(), **options)


def to_markdown(table):
    return markdown.render(table.grid())


def to_csv(table):
    return spreadsheet.render(table.grid())


def to_latex(table):
    return latex.render(table.grid())
