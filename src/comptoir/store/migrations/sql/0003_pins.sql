-- What a hold pinned when it was made, for explaining the past: pin_lots and pin_parts are what it
-- pins now, and empty once it has ended.
--
-- It only adds: the version before this one leaves all three null. They have a seal of their own,
-- for that version writes the row's seal without them.
ALTER TABLE comptoir.holds
    ADD COLUMN first_lots integer[],
    ADD COLUMN first_parts bigint[],
    ADD COLUMN first_seal bigint;
