"""`AttributeExplorer`: slide an attribute, see face, embedding and verdict move."""
