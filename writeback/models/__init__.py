from writeback.models.configuration import WritebackConfiguration
from writeback.models.delivery import Circuit
from writeback.models.event import WritebackEvent

__all__ = ["Circuit", "WritebackConfiguration", "WritebackEvent"]
