"""One module of routes for each kind of thing; each calls one use case and answers with it."""
