"""Subscriptions of the accounts table, one deployment at a time.

All segments of a deployment change together: each write names the version of the whole, on the
item that names the deployment's tenant. So two writers at once cannot make segments that overlap,
although each write alone would be sound.
"""

import json
from collections.abc import Iterable
from typing import Any

from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from invoicing.accounts.account import Segment, stored_segment_json
from invoicing.accounts.account_item import (
    DEPLOYMENT,
    OWNER,
    SEGMENT,
    AccountItem,
    DeploymentTaken,
    deployment_taken_back,
    has_version,
    lost_race,
    ownership,
    segment_of,
    taken_back_key,
    version_of,
)
from invoicing.accounts.deployments import Deployment, with_segments
from invoicing.foundation.dynamodb import bound, connection
from invoicing.foundation.versioned_records import Stored, VersionChanged, write_version

# A DynamoDB transaction takes 100 actions: one writes the owner, one may mark the deployment as
# without segments.
MOST_CHANGES = 98


class TooManyChanges(Exception):
    """The write would change more segments than fit into one transaction."""


type SegmentPage = tuple[tuple[Segment, ...], str | None]
"""A page of segments, and the position after which the next one begins, if there is one."""


def _segment_key(segment: Segment) -> str:
    return f"{SEGMENT}{segment.deployment_id}#{segment.starts_on.isoformat()}"


def _segments(tenant_id: str, items: Iterable[AccountItem]) -> tuple[Segment, ...]:
    return tuple(segment_of(tenant_id, item) for item in items if not deployment_taken_back(item))


class SubscriptionsTable:
    """Every tenant's subscriptions."""

    def __init__(self, table_name: str) -> None:
        self._items = bound(AccountItem, table_name)

    def get(self, tenant_id: str, deployment_id: str) -> Stored[Deployment] | None:
        """Reads a tenant's deployment with its segments; None if it never had any. Consistent.

        Raises DeploymentTaken when it is another tenant's.
        """
        try:
            owner = self._items.get(f"{DEPLOYMENT}{deployment_id}", OWNER, consistent_read=True)
        except self._items.DoesNotExist:
            return None
        if owner.document != ownership(tenant_id):
            raise DeploymentTaken(f"deployment {deployment_id} is another tenant's")
        # Read after the version: a write in between makes the version stale, never the segments.
        items = self._items.query(
            tenant_id,
            AccountItem.sk.startswith(f"{SEGMENT}{deployment_id}#"),
            consistent_read=True,
        )
        segments = _segments(tenant_id, items)
        return Stored(Deployment(tenant_id, deployment_id, segments), version_of(owner))

    def page(self, tenant_id: str, after: str | None, limit: int) -> SegmentPage:
        """Reads a page of a tenant's segments, sorted by deployment and first day. Consistent."""
        start: dict[str, dict[str, Any]] | None = None
        if after is not None:
            start = {"pk": {"S": tenant_id}, "sk": {"S": after}}
        items = list(
            self._items.query(
                tenant_id,
                AccountItem.sk.startswith(SEGMENT),
                consistent_read=True,
                limit=limit + 1,
                last_evaluated_key=start,
            )
        )
        segments = _segments(tenant_id, items[:limit])
        return segments, items[limit - 1].sk if len(items) > limit else None

    def put(self, segment: Segment, *others: Segment) -> None:
        """Stores segments of one deployment in one transaction, each under its first day.

        Segments with other first days stay. The first write makes the tenant the owner of the
        deployment for good: usage finds its tenant by the deployment alone. Raises DeploymentTaken
        when it is another tenant's, TooManyChanges, and InvalidAccount when days overlap.
        """
        tenant_id, deployment_id = segment.tenant_id, segment.deployment_id

        def make(before: Stored[Deployment] | None) -> Deployment:
            empty = Deployment(tenant_id, deployment_id, ())
            return with_segments(before.record if before else empty, (segment, *others))

        write_version(lambda: self.get(tenant_id, deployment_id), make, self.write)

    def write(self, after: Deployment, before: Stored[Deployment] | None) -> int:
        """Stores a deployment in place of `before` in one transaction; returns the new version.

        Raises VersionChanged when `before` is not what is stored, and TooManyChanges.
        """
        old_segments = before.record.segments if before else ()
        old = {_segment_key(segment): segment for segment in old_segments}
        new = {_segment_key(segment): segment for segment in after.segments}
        puts = [key for key, segment in new.items() if old.get(key) != segment]
        deletes = [key for key in old if key not in new]
        changes = len(puts) + len(deletes)
        if changes > MOST_CHANGES:
            raise TooManyChanges(f"changes {changes} segments, over {MOST_CHANGES}")
        version = before.version + 1 if before else 1
        absent = AccountItem.pk.does_not_exist()
        try:
            with TransactWrite(connection=connection()) as transaction:
                transaction.save(
                    self._owner(after, version), has_version(before.version) if before else absent
                )
                for key in puts:
                    transaction.save(self._segment(key, new[key]))
                for key in deletes:
                    transaction.delete(self._items(after.tenant_id, key))
                self._remember_taken_back(transaction, after, before)
        except TransactWriteError as error:
            if not lost_race(error):
                raise
            raise VersionChanged(f"deployment {after.deployment_id}") from error
        return version

    def _remember_taken_back(
        self, transaction: TransactWrite, after: Deployment, before: Stored[Deployment] | None
    ) -> None:
        """Keeps a deployment without segments in its account.

        Its metering goes on, and no usage may be lost from sight.
        """
        taken_back = self._items(
            after.tenant_id, taken_back_key(after.deployment_id), document="null"
        )
        if not after.segments:
            transaction.save(taken_back)
        elif before is not None and not before.record.segments:
            transaction.delete(taken_back)

    def _owner(self, deployment: Deployment, version: int) -> AccountItem:
        return self._items(
            f"{DEPLOYMENT}{deployment.deployment_id}",
            OWNER,
            version=version,
            document=ownership(deployment.tenant_id),
        )

    def _segment(self, key: str, segment: Segment) -> AccountItem:
        text = json.dumps(stored_segment_json(segment))
        return self._items(segment.tenant_id, key, document=text)
