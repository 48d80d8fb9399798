// A test that imports this needs no more.
@_exported public import Sluice
