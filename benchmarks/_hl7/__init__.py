"""The parts of the HL7 benchmark: its message, its loads, and those it is compared with."""
