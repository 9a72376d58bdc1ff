"""What DTDL defines, as tables: classes and their members, limits, semantic types and units, extensions, predefined
elements.

Nothing here reads a model. The tables follow the order and the words of the specification, so that one can be held
against the other; `harness.dtdl.parser` compiles them into what it works with.
"""
