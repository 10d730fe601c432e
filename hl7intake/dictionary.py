"""What the segments and fields of a scheduling message are called, and what becomes of each here.

Names follow HL7 v2.5.1 (chapters 2, 3 and 10) in sentence case; PID-40 exists since v2.7. Only what
:data:`SHOWN` lists may be repeated on screens and in terminals: everything else may be about a patient.
"""

SEGMENTS = {
    "MSH": "Message header",
    "EVN": "Event type",
    "SCH": "Scheduling activity information",
    "TQ1": "Timing/quantity",
    "NTE": "Notes and comments",
    "PID": "Patient identification",
    "PD1": "Patient additional demographic",
    "NK1": "Next of kin",
    "PV1": "Patient visit",
    "PV2": "Patient visit, additional information",
    "OBX": "Observation/result",
    "DG1": "Diagnosis",
    "AL1": "Patient allergy information",
    "IN1": "Insurance",
    "GT1": "Guarantor",
    "ROL": "Role",
    "RGS": "Resource group",
    "AIS": "Appointment information, service",
    "AIG": "Appointment information, general resource",
    "AIL": "Appointment information, location resource",
    "AIP": "Appointment information, personnel resource",
    "APR": "Appointment preferences",
    "ARQ": "Appointment request information",
    "FHS": "File header",
    "FTS": "File trailer",
    "BHS": "Batch header",
    "BTS": "Batch trailer",
    "MSA": "Message acknowledgment",
    "ERR": "Error",
}

_NAMES = {
    "MSH": (
        "Field separator|Encoding characters|Sending application|Sending facility|Receiving application|"
        "Receiving facility|Date/time of message|Security|Message type|Message control ID|Processing ID|Version ID|"
        "Sequence number|Continuation pointer|Accept acknowledgment type|Application acknowledgment type|"
        "Country code|Character set|Principal language of message|Alternate character set handling scheme|"
        "Message profile identifier"
    ),
    "EVN": (
        "Event type code|Recorded date/time|Date/time planned event|Event reason code|Operator ID|Event occurred|"
        "Event facility"
    ),
    "SCH": (
        "Placer appointment ID|Filler appointment ID|Occurrence number|Placer group number|Schedule ID|Event reason|"
        "Appointment reason|Appointment type|Appointment duration|Appointment duration units|"
        "Appointment timing quantity|Placer contact person|Placer contact phone number|Placer contact address|"
        "Placer contact location|Filler contact person|Filler contact phone number|Filler contact address|"
        "Filler contact location|Entered by person|Entered by phone number|Entered by location|"
        "Parent placer appointment ID|Parent filler appointment ID|Filler status code|Placer order number|"
        "Filler order number"
    ),
    "TQ1": (
        "Set ID - TQ1|Quantity|Repeat pattern|Explicit time|Relative time and units|Service duration|"
        "Start date/time|End date/time|Priority|Condition text|Text instruction|Conjunction|Occurrence duration|"
        "Total occurrence's"
    ),
    "NTE": "Set ID - NTE|Source of comment|Comment|Comment type",
    "PID": (
        "Set ID - PID|Patient ID|Patient identifier list|Alternate patient ID - PID|Patient name|"
        "Mother's maiden name|Date/time of birth|Administrative sex|Patient alias|Race|Patient address|County code|"
        "Phone number - home|Phone number - business|Primary language|Marital status|Religion|"
        "Patient account number|SSN number - patient|Driver's license number - patient|Mother's identifier|"
        "Ethnic group|Birth place|Multiple birth indicator|Birth order|Citizenship|Veterans military status|"
        "Nationality|Patient death date and time|Patient death indicator"
    ),
    "PV1": (
        "Set ID - PV1|Patient class|Assigned patient location|Admission type|Preadmit number|"
        "Prior patient location|Attending doctor|Referring doctor|Consulting doctor|Hospital service|"
        "Temporary location|Preadmit test indicator|Re-admission indicator|Admit source|Ambulatory status|"
        "VIP indicator|Admitting doctor|Patient type|Visit number"
    ),
    "RGS": "Set ID - RGS|Segment action code|Resource group ID",
    "AIS": (
        "Set ID - AIS|Segment action code|Universal service identifier|Start date/time|Start date/time offset|"
        "Start date/time offset units|Duration|Duration units|Allow substitution code|Filler status code|"
        "Placer supplemental service information|Filler supplemental service information"
    ),
    "AIG": (
        "Set ID - AIG|Segment action code|Resource ID|Resource type|Resource group|Resource quantity|"
        "Resource quantity units|Start date/time|Start date/time offset|Start date/time offset units|Duration|"
        "Duration units|Allow substitution code|Filler status code"
    ),
    "AIL": (
        "Set ID - AIL|Segment action code|Location resource ID|Location type - AIL|Location group|Start date/time|"
        "Start date/time offset|Start date/time offset units|Duration|Duration units|Allow substitution code|"
        "Filler status code"
    ),
    "AIP": (
        "Set ID - AIP|Segment action code|Personnel resource ID|Resource type|Resource group|Start date/time|"
        "Start date/time offset|Start date/time offset units|Duration|Duration units|Allow substitution code|"
        "Filler status code"
    ),
}

FIELDS: dict[tuple[str, int], str] = {
    (segment, number): name
    for segment, names in _NAMES.items()
    for number, name in enumerate(names.split("|"), start=1)
} | {("PID", 40): "Patient telecommunication information"}

USES: dict[tuple[str, int], str] = {
    ("MSH", 3): "With MSH-4 and MSH-10: finds a message that is sent twice",
    ("MSH", 4): "With MSH-3 and MSH-10: finds a message that is sent twice",
    ("MSH", 7): "Orders the messages about one appointment",
    ("MSH", 9): "Says what happened to the appointment",
    ("MSH", 10): "Repeated in the acknowledgement (MSA-2)",
    ("MSH", 15): "Whether an accept acknowledgement is wanted",
    ("MSH", 16): "Whether an application acknowledgement is wanted",
    ("MSH", 18): "How the bytes are read",
    ("SCH", 1): "The appointment, if SCH-2 and PV1-19 name none",
    ("SCH", 2): "The appointment (CSN)",
    ("SCH", 8): "Visit type: decides whether it is a virtual visit",
    ("SCH", 9): "Duration",
    ("SCH", 10): "Unit of the duration",
    ("SCH", 11): "Start, end and duration",
    ("SCH", 25): "Compared with the event, which wins",
    ("TQ1", 6): "Duration",
    ("TQ1", 7): "Start; trusted most",
    ("TQ1", 8): "End",
    ("PID", 3): "Kept only as a keyed hash, to notice another patient",
    ("PID", 13): "Number to text: encrypted, erased after the visit",
    ("PID", 14): "Number to text, if PID-13 and PID-40 hold none",
    ("PID", 15): "Language of texts and pages",
    ("PID", 40): "Number to text, if PID-13 holds none",
    ("PV1", 3): "Department: decides whether it is a virtual visit",
    ("PV1", 19): "The appointment (CSN)",
    ("RGS", 2): "D removes the resources of the group",
    ("AIS", 2): "D removes the service",
    ("AIS", 3): "Visit type: decides whether it is a virtual visit",
    ("AIS", 4): "Start, if TQ1 and SCH hold none",
    ("AIS", 7): "Duration, if SCH holds none",
    ("AIS", 8): "Unit of the duration",
    ("AIG", 8): "Start, if nothing else holds one",
    ("AIL", 3): "Department: decides whether it is a virtual visit",
    ("AIL", 6): "Start, if TQ1, SCH, AIS and AIP hold none",
    ("AIP", 3): "Language of an interpreter",
    ("AIP", 4): "Whether the person is an interpreter",
    ("AIP", 6): "Start, if TQ1, SCH and AIS hold none",
}

# Fields that hold codes, times and counts. SCH-7 (reason), notes and everything of PID are about a patient.
SHOWN: frozenset[tuple[str, int]] = frozenset(
    (segment, number)
    for segment, numbers in {
        "MSH": range(1, 22),
        "EVN": (1, 2, 3, 6),
        "SCH": (1, 2, 3, 6, 8, 9, 10, 11, 25),
        "TQ1": (1, 2, 3, 4, 5, 6, 7, 8, 9),
        "PID": (1, 15),
        "PV1": (1, 2, 3, 10, 19),
        "RGS": (1, 2),
        "AIS": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
        "AIG": (1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14),
        "AIL": (1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12),
        "AIP": (1, 2, 4, 6, 7, 8, 9, 10, 11, 12),
        "NTE": (1,),
    }.items()
    for number in numbers
)
PHONES = frozenset({("PID", 13), ("PID", 14), ("PID", 40)})
NOT_USED = "Not used"


def segment_name(segment: str) -> str:
    """Return what a segment is called; Z segments are the sender's own."""
    return SEGMENTS.get(segment) or ("Segment of the sender's own" if segment.startswith("Z") else "Other segment")


def field_name(segment: str, number: int) -> str:
    """Return what a field is called, ``Field 7`` where the standard's name is not listed here."""
    return FIELDS.get((segment, number), f"Field {number}")


def field_use(segment: str, number: int) -> str:
    """Return what becomes of a field here."""
    return USES.get((segment, number), NOT_USED)
