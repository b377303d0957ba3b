"""Owns opening balances and histories that come from another system, as files.

Reading a file and judging its lines is pure: `reading` makes records of bytes, `columns` makes
entries of records, `survey` judges entries by what the books know. `carrying` asks the books, and
lets the ledger decide. Does not decide whether a movement happens: the ledger does.
"""
