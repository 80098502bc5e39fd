"""The tax treatments of the simulation's customers through time, and the GST that is due."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.simulation.books.model import Customer

GST, GST_FREE = "gst", "gst_free"


@dataclass(slots=True)
class Treatments:
    """Each customer's treatments in order, with the step from which on each is stored."""

    changes: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    @classmethod
    def first(cls, customers: Iterable[Customer]) -> "Treatments":
        """Returns the treatments that the customers begin with."""
        return cls(
            {
                customer.tenant_id: [(-1, GST if customer.taxed else GST_FREE)]
                for customer in customers
            }
        )

    def now(self, tenant_id: str) -> str:
        """Returns the treatment that is stored."""
        return self.changes[tenant_id][-1][1]

    def change(self, tenant_id: str, tax: str, step: int) -> None:
        """Notes that another treatment is stored from this step on."""
        self.changes[tenant_id].append((step, tax))

    def since(self, tenant_id: str, step: int) -> set[str]:
        """Returns the treatments that somebody who began at this step may have read."""
        changes = self.changes[tenant_id]
        before = [tax for changed_at, tax in changes if changed_at < step]
        return {before[-1]} | {tax for changed_at, tax in changes if changed_at >= step}


def tax_due(cents: Mapping[str, int]) -> tuple[int, str]:
    """Returns the cents and the text of the tax line for lines of these sums by treatment.

    10 %, half a cent rounded away from zero. A treatment that no line has is absent.
    """
    if GST not in cents:
        return 0, "GST-free"
    taxed = cents[GST]
    sign = "-" if taxed < 0 else ""
    part = f" of {sign}{abs(taxed) // 100}.{abs(taxed) % 100:02}" if len(cents) > 1 else ""
    gst = (abs(taxed) + 5) // 10
    return -gst if taxed < 0 else gst, f"GST 10%{part}"
