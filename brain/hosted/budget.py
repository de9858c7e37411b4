"""A budget: when the next request may be sent."""

from __future__ import annotations

from dataclasses import dataclass

# of a dollar: sums of prices are not exact
_ROUNDING = 1e-9


@dataclass
class Budget:
    """Dollars that may be spent.

    It is never exceeded by more than one request: while several are under way, another is sent only where all of them
    could cost twice as much as any has so far; nearer to the limit they go one by one.

    Attributes:
        limit: dollars; None: no limit
        price: what an image probably costs
        spent: dollars so far
        largest: the dearest image so far
    """

    limit: float | None
    price: float
    spent: float = 0.0
    largest: float = 0.0

    def allows(self, under_way: int) -> bool:
        """Returns whether another request may be sent beside those that are under way."""
        if self.limit is None:
            return True
        if under_way == 0:
            return self.spent + self.price <= self.limit + _ROUNDING
        each = 2 * max(self.price, self.largest)
        return self.spent + (under_way + 1) * each <= self.limit + _ROUNDING

    def paid(self, cost: float) -> None:
        """Adds what a request has cost."""
        self.spent += cost
        self.largest = max(self.largest, cost)
