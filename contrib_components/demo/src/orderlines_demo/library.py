"""The library ``Test``: a class whose public methods are components."""

from __future__ import annotations

from orderlines.components.base import component
from orderlines_demo import functions


class Test:
    """Arithmetic whose results are named."""

    __test__ = False  # keeps pytest from taking it for a test class

    @component(cooperative=True)
    def test_add(self, a: int, b: int, sleep: float = 0) -> dict[str, int]:  # noqa: PT028 -- a component, no test
        """Add two numbers.

        :param a: the first number.
        :param b: the second number.
        :param sleep: seconds to wait before.
        """
        return {"add_value": functions.add(a, b, sleep)}

    @component(cooperative=True)
    def test_subtraction(self, a: int, b: int, sleep: float = 0) -> dict[str, int]:  # noqa: PT028 -- a component, no test
        """Subtract one number from another.

        :param a: the number to subtract from.
        :param b: the number to subtract.
        :param sleep: seconds to wait before.
        """
        return {"subtraction_value": functions.subtract(a, b, sleep)}

    @component(cooperative=True)
    def test_multi(self, a: int, b: int, sleep: float = 0) -> dict[str, int]:  # noqa: PT028 -- a component, no test
        """Multiply two numbers.

        :param a: the first number.
        :param b: the second number.
        :param sleep: seconds to wait before.
        """
        return {"multi_value": functions.multiply(a, b, sleep)}
