"""The message that everything is measured with: SIU^S12, version 2.5.1, 15 segments, 1.8 KB, a fictional patient."""

_SEGMENTS = (
    r"MSH|^~\&|EPIC|LAMNA|EHRCONNECTOR|LAMNA|20261124103012||SIU^S12^SIU_S12|{number}|T|2.5.1|||AL|NE||8859/1",
    (
        "SCH|{csn}|{csn}|||BOOKED^Booked by phone^HL70276|ROUTINE^Routine appointment^HL70276|FOLLOWUP^Follow-up"
        "^HL70276|VV30^VIDEO VISIT 30|30|MIN^minutes^ISO+|^^30^{start}00-0600^{end}00-0600|4821^SCHEDULER^KIM^^^^"
        "|^WPN^PH^^1^608^5550110|410 CLINIC WAY^^MADISON^WI^53703^USA|LMFM FRONT DESK|4821^SCHEDULER^KIM|||||BOOKED"
    ),
    "TQ1|1||||||{start}00-0600|{end}00-0600|R^Routine^HL70078",
    r"NTE|1||Please have your medication list ready \T\ a quiet room. Bring glucose log \S\ diary.",
    (
        "PID|1||E40021877^^^LAMNAMRN^MR~900-40-0217^^^USSSA^SS||RIVERA^ELENA^MARIA^^MS^^L~RIVERA^LENA^^^^^N||19840519|F"
        "||2106-3^White^HL70005|410 BIRCH LN^APT 3^MADISON^WI^53703^USA^H||^PRN^PH^^1^608^5550142~"
        "^PRN^CP^^1^608^5550177~^NET^Internet^elena@example.org|^WPN^PH^^1^608^5550119|ENG^English^HL70296|M^Married^HL70002||ACC90017"
    ),
    "PD1|||LAMNA FAMILY MEDICINE^L^12345|1180^OKAFOR^AMARA^^^^MD^^NPI",
    "PV1|1|O|LMFM^VIDEO 1^^LAMNA^^^^^LAMNA FAMILY MED|||||1180^OKAFOR^AMARA^^^^MD^^NPI||||||||||||{csn}^^^LAMNA^VN",
    "PV2|||FOLLOWUP^Follow-up visit^LOCAL||||||{start}00-0600||30||VIDEO VISIT",
    "DG1|1||E11.9^Type 2 diabetes mellitus without complications^I10|||W",
    "RGS|1|A|VISIT",
    "AIS|1|A|VV30^VIDEO VISIT 30^LAMNA|{start}00-0600|0|MIN^minutes^ISO+|30|MIN^minutes^ISO+|NO|BOOKED^Booked^HL70278",
    "NTE|1||Interpreter not needed. Patient asked for a text reminder.",
    "AIG|1|A|9001^VIDEO ROOM A^LAMNA|2^RESOURCE||1||{start}00-0600|0|MIN|30|MIN|NO|BOOKED",
    "AIL|1|A|LMFM^VIDEO 1^^LAMNA^^^^^LAMNA FAMILY MEDICINE|D^DEPARTMENT||{start}00-0600|0|MIN|30|MIN|NO|BOOKED",
    "AIP|1|A|1180^OKAFOR^AMARA^^^^MD^^NPI|1^PHYSICIAN||{start}00-0600|0|MIN|30|MIN|NO|BOOKED",
)
_TEXT = "\r".join(_SEGMENTS) + "\r"


def message(number: int, *, csn: int | None = None, prefix: str = "B") -> bytes:
    """Return a message with a control id and appointment of its own, at a time next year.

    :param csn: of the appointment, when several messages are about the same.
    """
    csn = number if csn is None else csn
    day, slot = csn // 32 % 336, csn % 32
    start = f"2027{day // 28 + 1:02}{day % 28 + 1:02}{8 + slot // 4:02}{slot % 4 * 15:02}"
    end = f"{start[:8]}{8 + slot // 4 + 1:02}{slot % 4 * 15:02}"
    return _TEXT.format(number=f"{prefix}{number}", csn=700_000_000 + csn, start=start, end=end).encode("ascii")
