"""The AWS-facing half of Monthend: tables, messages, access, settings.

Imports go one way: functions -> invoicing -> quote_engine -> standard library.
"""
