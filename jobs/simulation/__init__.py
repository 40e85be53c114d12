"""A seeded generator of realistic event logs with planted networks and their truth.

`world` plans who is who: `population` and `address_space` make ordinary people and the internet,
`planted/` holds one kind of abuse a file, `lookalikes/` one family of innocents a file. `simulator`
then plays the plan day by day: `background` is what everybody does alone, `network` what some do
together, `event_rows` adds devices and addresses, `dirt` what is wrong with real logs, `tables`
writes parquet. `evasion` says what operators do to hide.

Up to the last step everything is a number; `identifiers` turns numbers into opaque ids, by one rule
for everybody, so nothing but behaviour tells planted accounts from others.
"""
