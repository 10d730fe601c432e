"""Everybody who lives in the twin. All of them are invented."""

from dataclasses import dataclass

TENANT_ID = "11111111-2222-4333-8444-555555555555"


@dataclass(frozen=True)
class Person:
    """An account of the hospital's Entra tenant."""

    oid: str
    username: str
    roles: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What Teams calls the person, from the user name."""
        return self.username.partition("@")[0].replace(".", " ").title()

    @property
    def initials(self) -> str:
        """Two letters for a round picture."""
        return "".join(word[0] for word in self.name.split()[:2])


@dataclass(frozen=True, kw_only=True)
class Provider:
    """A clinician in Epic."""

    key: str
    user: str
    fhir_id: str
    number: str
    family: str
    given: str
    oid: str
    department: str

    @property
    def name(self) -> str:
        """The name as pages write it."""
        return f"{self.given.title()} {self.family.title()}"

    @property
    def initials(self) -> str:
        """Two letters for a round picture."""
        return self.given[0] + self.family[0]


@dataclass(frozen=True, kw_only=True)
class Patient:
    """A patient in Epic, as an HL7 message tells of one."""

    key: str
    fhir_id: str
    proxy_id: str
    mrn: str
    family: str
    given: str
    birth_date: str
    sex: str
    home_phone: str
    mobile: str
    language: str
    address: str = ""
    email: str = ""

    @property
    def name(self) -> str:
        """The name as pages write it."""
        return f"{self.given.title()} {self.family.title()}"

    @property
    def e164(self) -> str:
        """The mobile number as carriers write it."""
        return "+1" + "".join(character for character in self.mobile if character.isdigit())


def _oid(number: int) -> str:
    return f"aaaaaaaa-0001-4000-8000-{number:012}"


_PEOPLE = (
    Person(_oid(1), "avery.reed@lamna.example.org", ("Connector.Admin",)),
    Person(_oid(2), "dana.ortiz@lamna.example.org", ("Connector.Analyst",)),
    Person(_oid(3), "kim.soto@lamna.example.org", ("Connector.Support",)),
    Person(_oid(4), "rene.blake@lamna.example.org", ("Connector.ReportReader",)),
    Person(_oid(5), "amara.okafor@lamna.example.org"),
    Person(_oid(6), "virtual.visits@lamna.example.org"),
)

PROVIDERS = {
    provider.key: provider
    for provider in (
        Provider(
            key="okafor", user="AOKAFOR", fhir_id="eP.okafor", number="1180", family="OKAFOR", given="AMARA",
            oid=_oid(5), department="LMFM^^^LAMNA",
        ),
        Provider(
            key="halvorsen", user="EHALVOR", fhir_id="eP.halvorsen", number="2207", family="HALVORSEN", given="ERIK",
            oid=_oid(3), department="LMEND^^^LAMNA",
        ),
    )
}  # fmt: skip

PATIENTS = {
    patient.key: patient
    for patient in (
        Patient(
            key="rivera", fhir_id="eX.rivera", proxy_id="eX.rivera-parent", mrn="E40021877", family="RIVERA",
            given="ELENA", birth_date="19840519", sex="F", home_phone="(608)555-0142", mobile="(608)555-0177",
            language="ENG", address="410 BIRCH LN^^MADISON^WI^53703^USA^H", email="elena.rivera@example.org",
        ),
        Patient(
            key="nguyen", fhir_id="eX.nguyen", proxy_id="eX.nguyen-child", mrn="E40030551", family="NGUYEN",
            given="MINH", birth_date="19591203", sex="M", home_phone="", mobile="(608)555-0163", language="SPA",
        ),
        Patient(
            key="larsen", fhir_id="eX.larsen", proxy_id="eX.larsen-spouse", mrn="E40041208", family="LARSEN",
            given="TOVE", birth_date="19710226", sex="F", home_phone="", mobile="(608)555-0181", language="ENG",
        ),
        Patient(
            key="haddad", fhir_id="eX.haddad", proxy_id="eX.haddad-parent", mrn="E40052916", family="HADDAD",
            given="SAMI", birth_date="20020814", sex="M", home_phone="", mobile="(608)555-0192", language="ENG",
        ),
    )
}  # fmt: skip


def everybody() -> tuple[Person, ...]:
    """Return every account of the tenant."""
    return _PEOPLE


def find(oid: str) -> Person | None:
    """Return the account with this object id."""
    return next((person for person in _PEOPLE if person.oid == oid), None)


def find_by_username(username: str) -> Person | None:
    """Return the account with this user name, in any case."""
    return next((person for person in _PEOPLE if person.username == username.lower()), None)


def phone_numbers() -> list[str]:
    """Return the numbers of the phones on the wall."""
    return [patient.e164 for patient in PATIENTS.values()]
