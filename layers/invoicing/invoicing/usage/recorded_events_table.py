"""Reads what the usage table remembers: events by their ids, and which days have any usage.

For those who ask before they write. Counting itself reads nothing: a transaction is refused.
"""

from collections.abc import Iterable
from itertools import batched

from invoicing.foundation.dynamodb import BATCH_KEYS, Key, RawItem, read_keys
from invoicing.foundation.parallel import at_once
from invoicing.usage.recorded_event import DEDUPE, RecordedEvent
from invoicing.usage.usage_table import DAY, KEY, TOTAL

type EventName = tuple[str, str]
"""A tenant, and the key of an event (see `event_key`)."""
type DeploymentDay = tuple[str, str]
"""A deployment, and a day (`2026-04-15`) or a whole month (`2026-04`)."""

MONTH = len("2026-04")
# So many keys at a time, so that the keys of a large file are never all in memory.
KEYS_AT_ONCE = 100 * BATCH_KEYS


class RecordedEventsTable:
    """The usage table, read by keys: consistent, 100 keys a call, many calls at once."""

    def __init__(self, table_name: str) -> None:
        self.name = table_name

    def events(self, names: Iterable[EventName]) -> dict[EventName, RecordedEvent]:
        """Reads the events that are recorded under these names, which must differ."""
        keys = ({KEY: f"{tenant_id}#{key}", DAY: DEDUPE} for tenant_id, key in names)
        events: dict[EventName, RecordedEvent] = {}
        for some in batched(keys, KEYS_AT_ONCE, strict=False):
            recorded = map(RecordedEvent.read, self._read(some))
            events |= {(event.tenant_id, event.key): event for event in recorded}
        return events

    def used(self, wanted: Iterable[DeploymentDay]) -> set[DeploymentDay]:
        """Returns the days and months, of these, of which any usage is counted."""
        keys = {
            (f"{deployment_id}#{day[:MONTH]}", day if len(day) > MONTH else TOTAL): (
                deployment_id,
                day,
            )
            for deployment_id, day in wanted
        }
        items = self._read({KEY: key, DAY: sort_key} for key, sort_key in keys)
        return {keys[item[KEY]["S"], item[DAY]["S"]] for item in items}

    def _read(self, keys: Iterable[Key]) -> list[RawItem]:
        batches = list(batched(keys, BATCH_KEYS, strict=False))
        found = at_once(lambda batch: read_keys(self.name, batch), batches)
        return [item for items in found for item in items]
