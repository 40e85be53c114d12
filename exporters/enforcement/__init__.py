"""The enforcement batch: what an importer gets, how it is checked, approved and taken back."""
