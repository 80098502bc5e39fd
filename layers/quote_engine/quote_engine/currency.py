"""The currencies that can be billed: amounts are whole hundredths of a unit, everywhere."""

import re

# ISO 4217, List One as its maintenance agency published it on 2026-01-01: every code with two
# decimals, but no funds codes (BOV, CHE, CHW, COU, MXV, USN), in which nobody pays.
_CODES = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD
    CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
    GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL
    MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN
    PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP
    SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW
    ZWG
"""
CURRENCIES = frozenset(_CODES.split())


def currency_fault(value: object) -> str | None:
    """The ISO 4217 code of a currency that has two decimals.

    In any other one an invoice could not be paid to the cent: nobody has 33.33 yen.
    """
    if isinstance(value, str) and value in CURRENCIES:
        return None
    if not (isinstance(value, str) and re.fullmatch("[A-Z]{3}", value)):
        return "must be 3 upper-case letters"
    return f"{value} cannot be billed: must be an ISO 4217 currency with two decimals, such as AUD"
