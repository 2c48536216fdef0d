"""Expressions, ``${...}``: our own white list over Python's grammar, compiled once to closures.

A text never becomes code: ``a.b`` is a key, never an attribute, and only a closed list of functions can be called. What
an expression may build is limited before it is built; see :mod:`orderlines.expression.limits`.
"""

from __future__ import annotations

from orderlines.expression.compiled import Expression, compile_expression
from orderlines.expression.template import Template, compile_template, pieces, references

__all__ = ["Expression", "Template", "compile_expression", "compile_template", "pieces", "references"]
