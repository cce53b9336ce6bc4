"""`FieldExplorer`: a field's points and arrows, and its alignment energy over the scale."""
