"""What a store keeps, as documents for programs and as text for people."""

from orderlines.views.documents import run_document, runs_document
from orderlines.views.logs import failure_lines, log_documents, log_line
from orderlines.views.plain import run_lines, runs_lines
from orderlines.views.reading import RunReader

__all__ = [
    "RunReader",
    "failure_lines",
    "log_documents",
    "log_line",
    "run_document",
    "run_lines",
    "runs_document",
    "runs_lines",
]
