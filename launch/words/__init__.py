"""What people read when a launch or a join does not go on: what happened, and what to do."""

from launch.words.base import Words
from launch.words.patient import words_of as for_patient
from launch.words.staff import words_of as for_staff

__all__ = ["Words", "for_patient", "for_staff"]
