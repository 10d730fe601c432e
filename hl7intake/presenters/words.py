"""The words of the message browser: events, outcomes, reasons, and what to do about a refusal."""

EVENTS = {
    "S12": "New appointment",
    "S13": "New time",
    "S14": "Change",
    "S15": "Cancellation",
    "S16": "Discontinuation",
    "S17": "Deletion",
    "S18": "Service or resource added",
    "S19": "Service or resource changed",
    "S20": "Service or resource cancelled",
    "S21": "Service or resource discontinued",
    "S22": "Service or resource deleted",
    "S23": "Slot blocked",
    "S24": "Slot opened",
    "S26": "No-show",
}

OUTCOMES = {
    "received": ("Waiting", "info"),
    "applied": ("Applied", "ok"),
    "ignored": ("Not used", "neutral"),
    "superseded": ("Outdated", "neutral"),
    "rejected": ("Rejected", "bad"),
    "quarantined": ("Quarantined", "bad"),
}

REASONS = {
    "slot": "A provider's free time, no appointment",
    "not_virtual": "No virtual visit by your visit types and departments",
    "filter_empty": "No visit types or departments are chosen yet",
    "not_approved": "Nothing is approved for this connection yet",
    "unknown_visit": "It ends a visit that is not known here",
}
# Reasons behind which something has to be set up.
WORRYING_REASONS = frozenset({"filter_empty", "not_approved"})

SENTENCES = {
    "received": "It is stored and acknowledged, and takes effect within seconds.",
    "applied": "The visit is as this message says.",
    "ignored": "It was accepted and changes nothing.",
    "superseded": "A newer message about the appointment came before it, so it changes nothing.",
    "rejected": "It was refused and changes nothing.",
    "quarantined": "It was acknowledged but could not take effect. Others go on without it.",
}

ANSWERS = {
    "AA": "Accepted",
    "AE": "Refused; may be sent again",
    "AR": "Refused for good",
    # Enhanced mode, first level: safely stored, or not.
    "CA": "Accepted and stored",
    "CE": "Refused; may be sent again",
    "CR": "Refused for good",
}

# What to look at in Epic or in the interface engine, by our code of the refusal.
_ADVICE = {
    "hl7.start_missing": "In Epic's outgoing appointment interface, send the start in SCH-11, component 4.",
    "hl7.start_unreadable": "Look at the date format of SCH-11, component 4: YYYYMMDDHHMM, with or without an offset.",
    "hl7.end_before_start": "Look at SCH-11, component 5, or TQ1-8: leave the end out and send the duration in SCH-9.",
    "hl7.session_id_missing": "Map the visit's CSN to SCH-2 or PV1-19 in the interface.",
    "hl7.control_id": "Let the interface engine write an id of at most 199 characters into MSH-10.",
    "hl7.control_id_reused": "Let the interface engine give each message an MSH-10 of its own, also after a restart.",
    "hl7.unsupported_type": "Take other message types out of this interface's event filter; only SIU belongs here.",
    "hl7.unsupported_event": "Take this event out of the interface's filter; S12 to S24 and S26 are understood.",
    "hl7.delimiters": "MSH has to begin with MSH|^~\\&| or other delimiters that all differ.",
    "hl7.no_header": "Something in front of MSH gets into the frame. Look at the engine's framing.",
    "hl7.nul": "Send UTF-8 or an 8-bit character set and name it in MSH-18.",
    "hl7.too_long": "Leave documents and images out of this interface.",
    "hl7.too_many_segments": "Leave out what is not about the appointment, such as OBX segments.",
    "hl7.too_many_repetitions": "Look for a field that repeats without end.",
    "hl7.several_messages": "Send one message in each frame, or a batch with BHS and BTS.",
    "hl7.worker_lost": "A worker of ours died while it took effect. Replay it.",
}
_OUR_FAULT = "The fault is ours, not the sender's. Replay it; if it fails again, tell the operator."


def event_words(message_type: str, trigger: str) -> str:
    """Return what an event is in plain words, else the event itself."""
    return EVENTS.get(trigger) or " ".join(part for part in (message_type, trigger) if part) or "Not readable"


def failure(error_code: str) -> str:
    """Return in words why an acknowledged message did not take effect."""
    return "Five attempts failed" if error_code.startswith("hl7.apply_failed") else error_code


def advice(error_code: str) -> str:
    """Return what to look at, or ''."""
    if error_code.startswith("hl7.apply_failed"):
        return _OUR_FAULT
    return _ADVICE.get(error_code, "")
