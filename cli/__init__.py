"""`monthend`: fill a stack, import usage, look at invoices, price a quote; see docs/cli.md."""
