"""Watching devices live: what `preflight monitor` shows and `preflight validate` judges.

source    where events come from (`Source`); `control` is the standalone emulator's stream, `azure` a hub
masking   a source without secrets
following reading a source until something ends it
kinds, choosing   what kind an event is of, and which events are wanted
content, wording, showing   an event in words for a person, or as a line of JSON
standing  how one device stands with its services: pure
judging   events against the model as they come: pure
monitor, validate   the two commands, without their command lines
ledger, tables   findings, each once and counted, and how they are printed
"""
