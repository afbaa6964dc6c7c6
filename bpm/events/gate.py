"""How much may be under way to one destination at once, in this process."""

import asyncio

PATIENCE_SECONDS = 0.25
"""How long a delivery waits for a place; where none becomes free, those behind it need not wait."""


class Gate:
    """So many places; a destination that answers quickly is never held up by them, a hanging one holds up nobody."""

    def __init__(self, places: int) -> None:
        """Begin with every place free."""
        self.places = places
        self.under_way = 0
        self._is_congested = False
        self._waiting: list[asyncio.Future[None]] = []

    async def enter(self) -> bool:
        """Take a place; tells False when none became free in time."""
        if self.under_way < self.places:
            self.under_way += 1
            return True
        if self._is_congested:
            return False
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await asyncio.wait_for(turn, PATIENCE_SECONDS)
        except TimeoutError:
            self._is_congested = True
            return False
        finally:
            if turn in self._waiting:
                self._waiting.remove(turn)
        return True

    def leave(self) -> None:
        """Give the place to whoever waits for it, else back."""
        self._is_congested = False
        while self._waiting:
            turn = self._waiting.pop(0)
            if not turn.done():
                turn.set_result(None)
                return
        self.under_way -= 1


class Gates:
    """The gates of the destinations that something is under way to."""

    def __init__(self, places: int) -> None:
        """Take how many places a destination has unless it says otherwise."""
        self._places = places
        self._gates: dict[int, Gate] = {}

    async def enter(self, destination: int, places: int | None) -> bool:
        """Take a place of a destination; tells False when there is none."""
        gate = self._gates.get(destination)
        if gate is None:
            gate = self._gates[destination] = Gate(self._places)
        gate.places = places or self._places
        return await gate.enter()

    def leave(self, destination: int) -> None:
        """Give the place back."""
        gate = self._gates[destination]
        gate.leave()
        if gate.under_way == 0:
            del self._gates[destination]
