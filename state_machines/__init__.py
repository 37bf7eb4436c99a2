"""Pure decisions: a snapshot, a trigger and an instant go in, an outcome or a refusal comes out."""
