"""Currencies: what has two decimals in ISO 4217 can be billed, and nothing else."""

import pytest

from quote_engine.currency import CURRENCIES, currency_fault

# Decimals as ISO 4217 gives them (List One, 2026-01-01).
TWO = "AED AUD BRL CAD CHF CNY EUR GBP HKD HUF INR NOK NZD SEK SGD TWD USD XCD XCG ZAR ZWG"
NOT_TWO = {
    "none": "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    "three": "BHD IQD JOD KWD LYD OMR TND",
    "four": "CLF UYW",
    "no money": "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX",
    "funds, in which nobody pays": "BOV CHE CHW COU MXV USN",
    "withdrawn": "ANG BGN CUC DEM HRK MRO SLL STD VEF ZWL",
    "never given": "BTC QQQ USA ZZZ",
}


@pytest.mark.parametrize("code", TWO.split())
def test_a_currency_with_two_decimals_can_be_billed(code: str) -> None:
    assert currency_fault(code) is None


@pytest.mark.parametrize("code", ["MGA", "MRU"])
def test_iso_4217_decides_even_where_the_coin_is_a_fifth(code: str) -> None:
    """1 ariary is 5 iraimbilanja, and 1 ouguiya 5 khoums; both are written with two decimals."""
    assert currency_fault(code) is None


@pytest.mark.parametrize("code", [code for codes in NOT_TWO.values() for code in codes.split()])
def test_any_other_code_is_refused_by_name(code: str) -> None:
    assert currency_fault(code) == (
        f"{code} cannot be billed: must be an ISO 4217 currency with two decimals, such as AUD"
    )


def test_the_list_is_whole() -> None:
    """ISO 4217's List One has 139 codes with two decimals, and 6 of them are funds."""
    assert len(CURRENCIES) == 139 - 6
