"""The commands, by what one wants: thin, each calls one function of the module that does it."""
