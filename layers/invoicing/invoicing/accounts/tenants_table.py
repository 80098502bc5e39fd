"""Tenants of the accounts table: versioned, and each keeps its account number for good."""

import json
from collections.abc import Iterable

from pynamodb.exceptions import PutError, TransactWriteError
from pynamodb.transactions import TransactWrite

from invoicing.accounts.account import Tenant, read_tenant, stored_tenant_json
from invoicing.accounts.account_item import (
    NUMBER,
    OWNER,
    TENANT,
    AccountItem,
    AccountNumberTaken,
    has_version,
    lost_race,
    ownership,
    version_of,
)
from invoicing.foundation.dynamodb import bound, connection, read_keys
from invoicing.foundation.versioned_records import Stored, VersionChanged, write_version

FAILED = "ConditionalCheckFailed"


class TenantsTable:
    """Tenants, without their subscriptions."""

    def __init__(self, table_name: str) -> None:
        self._name = table_name
        self._items = bound(AccountItem, table_name)

    def get(self, tenant_id: str) -> Stored[Tenant] | None:
        """Reads the tenant; None if there is none. Consistent."""
        try:
            item = self._items.get(tenant_id, TENANT, consistent_read=True)
        except self._items.DoesNotExist:
            return None
        return Stored(read_tenant(tenant_id, json.loads(item.document)), version_of(item))

    def several(self, tenant_ids: Iterable[str]) -> list[Tenant]:
        """Reads those of these tenants that exist, in order of id. Consistent."""
        keys = [{"pk": tenant_id, "sk": TENANT} for tenant_id in sorted(set(tenant_ids))]
        texts = {item["pk"]["S"]: item["document"]["S"] for item in read_keys(self._name, keys)}
        return [
            read_tenant(tenant_id, json.loads(texts[tenant_id])) for tenant_id in sorted(texts)
        ]

    def put(self, tenant: Tenant) -> None:
        """Stores a tenant in place of whatever is stored; raises AccountNumberTaken."""
        write_version(lambda: self.get(tenant.tenant_id), lambda _: tenant, self.write)

    def write(self, tenant: Tenant, before: Stored[Tenant] | None) -> int:
        """Stores a tenant in place of `before`, and returns the new version.

        The account number is assigned once, because invoice numbers contain it: the transaction
        that creates the tenant claims it, and it never changes. Raises AccountNumberTaken, and
        VersionChanged when `before` is not what is stored.
        """
        if before is None:
            self._create(tenant)
            return 1
        if before.record.account_number != tenant.account_number:
            number = before.record.account_number
            raise AccountNumberTaken(
                f"is {number} for good and cannot become {tenant.account_number}"
            )
        version = before.version + 1
        try:
            self._item(tenant, version).save(has_version(before.version))
        except PutError as error:
            if not lost_race(error):
                raise
            raise VersionChanged(f"tenant {tenant.tenant_id}") from error
        return version

    def _create(self, tenant: Tenant) -> None:
        owner = ownership(tenant.tenant_id)
        number = self._items(f"{NUMBER}{tenant.account_number}", OWNER, document=owner)
        absent = AccountItem.pk.does_not_exist()
        try:
            with TransactWrite(connection=connection()) as creation:
                creation.save(number, absent | (AccountItem.document == owner))
                creation.save(self._item(tenant, 1), absent)
        except TransactWriteError as error:
            if not lost_race(error):
                raise
            claim = error.cancellation_reasons[0]
            if claim is not None and claim.code == FAILED:
                raise AccountNumberTaken(f"{tenant.account_number} is another tenant's") from error
            raise VersionChanged(f"tenant {tenant.tenant_id}") from error

    def _item(self, tenant: Tenant, version: int) -> AccountItem:
        return self._items(
            tenant.tenant_id,
            TENANT,
            kind=TENANT,
            account_number=tenant.account_number,
            version=version,
            document=json.dumps(stored_tenant_json(tenant)),
        )
