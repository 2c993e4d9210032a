"""How many connections and associations there may be, in all and for one address."""

from __future__ import annotations

from collections import Counter
from threading import Lock

# Connections beyond the limit of associations get a proper A-ASSOCIATE-RJ, for which somebody has to hear the
# request first. These are the places for that; when they are taken too, a connection is closed unheard.
SPARE_CONNECTIONS = 64
SPARE_CONNECTIONS_PER_ADDRESS = 8


class Admission:
    """Counts connections and associations. Counting per address keeps one peer from locking out another."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._connections: Counter[str] = Counter()
        self._associations: Counter[str] = Counter()

    def enter_connection(self, address: str, *, max_associations: int, per_address: int) -> bool:
        """Take a place for a connection; False when there is none, and then there is nothing to leave."""
        return self._enter(
            self._connections,
            address,
            max_associations + SPARE_CONNECTIONS,
            per_address + SPARE_CONNECTIONS_PER_ADDRESS,
        )

    def leave_connection(self, address: str) -> None:
        """Give back the place of a connection."""
        self._leave(self._connections, address)

    def enter_association(self, address: str, *, max_associations: int, per_address: int) -> bool:
        """Take a place for an association; False when there is none, and then there is nothing to leave."""
        return self._enter(self._associations, address, max_associations, per_address)

    def leave_association(self, address: str) -> None:
        """Give back the place of an association."""
        self._leave(self._associations, address)

    def _enter(self, places: Counter[str], address: str, total: int, per_address: int) -> bool:
        with self._lock:
            if places.total() >= total or places[address] >= per_address:
                return False
            places[address] += 1
            return True

    def _leave(self, places: Counter[str], address: str) -> None:
        with self._lock:
            places[address] -= 1
            if places[address] <= 0:
                del places[address]
