"""When a tenant without an invoice counts as late: the sweep's alarm rings from then on."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from invoicing.foundation.billing_calendar import ends_at
from invoicing.month_end.month_reader import ListedMonth

# A tenant is late six hours after the first run for all tenants; without one, six hours after the
# hour at which the schedule's own default, 03:00, would have started it.
LATE_AFTER, UNSTARTED_LATE_AFTER = timedelta(hours=6), timedelta(hours=9)


def late_from(listing: ListedMonth, zone: ZoneInfo) -> datetime:
    """Returns the moment (UTC) from which a tenant without an invoice is late."""
    full = [run.run_at for run in listing.runs if run.full]
    if full:
        return min(full) + LATE_AFTER
    return ends_at(listing.period, zone) + UNSTARTED_LATE_AFTER
