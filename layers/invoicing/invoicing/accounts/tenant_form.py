"""A tenant as the API and files send it, with every field checked.

The rollup must not import this: stdnum alone would cost a quarter of its cold start.
"""

import re
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import AfterValidator, Field
from stdnum.au import abn
from stdnum.exceptions import InvalidChecksum
from stdnum.exceptions import ValidationError as InvalidNumber

from invoicing.accounts.account import Address, TaxTreatment, Tenant
from invoicing.accounts.form_fields import Line, OptionalLine
from invoicing.foundation.parsing import StrictModel

MOST_LINES = 4
LONGEST_EMAIL, LONGEST_LOCAL_PART = 254, 64
# Characters that separate or quote in the header of an email, where addresses end up.
NOT_IN_EMAIL = frozenset(' ",;:<>()[]\\')
DOMAIN = re.compile(r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{1,62}")


@cache
def countries() -> frozenset[str]:
    """Returns the ISO 3166 codes of all countries, as the time zone database lists them."""
    table = files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text(encoding="utf-8")
    rows = (line for line in table.splitlines() if not line.startswith("#"))
    return frozenset(row.partition("\t")[0] for row in rows)


def _abn(text: str) -> str:
    try:
        return abn.validate(text)
    except InvalidChecksum as error:
        raise ValueError("is no ABN: its check digits are wrong") from error
    except InvalidNumber as error:
        raise ValueError("must be 11 digits") from error


def _country(text: str) -> str:
    if text not in countries():
        raise ValueError("must be an ISO 3166 code such as AU")
    return text


def _email(text: str) -> str:
    """Accepts one address that every mail system takes; only an email can show if it is read."""
    local, _, domain = text.rpartition("@")
    plain = text.isascii() and text.isprintable() and NOT_IN_EMAIL.isdisjoint(text)
    fits = len(text) <= LONGEST_EMAIL and 0 < len(local) <= LONGEST_LOCAL_PART
    if not (plain and fits and "@" not in local and DOMAIN.fullmatch(domain)):
        raise ValueError("must be one address such as accounts@example.com")
    return text


class AddressForm(StrictModel):
    """An address; state and postcode are written as in that country, if it has them."""

    lines: Annotated[tuple[Line, ...], Field(min_length=1, max_length=MOST_LINES)]
    locality: Line
    country: Annotated[str, AfterValidator(_country)]
    state: OptionalLine = ""
    postcode: OptionalLine = ""

    def address(self) -> Address:
        """Returns the address as it is stored."""
        return Address(**self.model_dump())


class TenantForm(StrictModel):
    """A tenant without its id. `abn` may be grouped, and is stored as 11 digits."""

    name: Line
    account_number: str
    tax: TaxTreatment
    tax_reason: OptionalLine = ""
    abn: Annotated[str, Field(max_length=40), AfterValidator(_abn)] | None = None
    address: AddressForm | None = None
    billing_email: Annotated[str, AfterValidator(_email)] | None = None

    def tenant(self, tenant_id: str) -> Tenant:
        """Returns the tenant; raises InvalidAccount."""
        return Tenant(
            tenant_id=tenant_id,
            name=self.name,
            account_number=self.account_number,
            tax=self.tax,
            tax_reason=self.tax_reason,
            abn=self.abn,
            address=self.address.address() if self.address else None,
            billing_email=self.billing_email,
        )
