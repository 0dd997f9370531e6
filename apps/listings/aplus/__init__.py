"""The A+ page: modules as Amazon knows them, written from facts, checked, and exported as the document that its API takes."""
