"""Finding the model of a device: the places to look, in order, and the record of what was found."""

from __future__ import annotations

from collections.abc import Sequence

from harness.dtdl import Model, ModelError, ModelNotFound, Repository, ResolutionError, parse
from harness.dtdl.defaults import usual
from harness.record import events as ev
from harness.settings import Settings


def locations(settings: Settings) -> list[str]:
    """`--models` first, then dtdl_models/ beside the settings, then the public repository."""
    return usual(settings.models, settings.root)


def resolve(model_id: str, places: Sequence[str]) -> tuple[Model | None, ev.ModelResolved | ev.ModelRejected]:
    """The model of an id, and the event that says where it came from or why there is none."""
    try:
        found = Repository(places).resolve(model_id)
    except ModelNotFound as e:
        tried = tuple(f"{place}: {why}" for place, why in e.tried)
        return None, ev.ModelRejected(model_id, "not-found", (str(e),), tried)
    except ModelError as e:
        problems = tuple(str(error) for error in e.errors)
        return None, ev.ModelRejected(model_id, "invalid", problems or (str(e),))
    if model_id not in found.model.interfaces:
        sentence = f"{model_id} is not an Interface, so no device can announce it."
        return None, ev.ModelRejected(model_id, "not-an-interface", (sentence,))
    documents = dict(found.documents)
    return found.model, ev.ModelResolved(
        model_id, str(found.location), documents, {k: str(v) for k, v in found.sources.items()}
    )


def restored(event: ev.ModelResolved) -> Model | None:
    """The model as a journal holds it; None where the recorded documents do not parse any more."""
    try:
        return parse(list(event.documents.values()))
    except (ModelError, ResolutionError):
        return None
