"""Who and what the demo is made of."""

from dataclasses import dataclass

from practices.accounts.roles import Role
from practices.directory.models import Organisation

Kind = Organisation.Kind

# A practice list as administrators import it. No real practice has a code that starts with Z91.
PRACTICES = """\
ods_code,name,address,postcode,telephone,icb,dispensing,list_size
Z91001,Ashcombe Surgery,"1 Orchard Lane, Ashcombe",ZZ99 1AA,01632 960101,Z91A1,no,9120
Z91002,Birchwood Health Centre,"14 Station Road, Birchwood",ZZ99 1AB,01632 960102,Z91A1,no,12480
Z91003,Coppice Lane Practice,"3 Coppice Lane, Fernleigh",ZZ99 1AC,01632 960103,Z91A1,no,6340
Z91004,Daleside Medical Centre,"22 Mill Street, Daleside",ZZ99 1AD,01632 960104,Z91A1,yes,7755
Z91005,Elmfield Surgery,"8 Elm Grove, Elmfield",ZZ99 1AE,01632 960105,Z91A1,no,5210
Z91006,Fairholme Practice,"40 High Street, Fairholme",ZZ99 1AF,01632 960106,Z91A1,no,10330
Z91007,Greenacre Surgery,"2 Green Acre, Thornby",ZZ99 1AG,01632 960107,Z91B2,no,8015
Z91008,Hazel Bank Medical Practice,"17 Hazel Bank, Oakridge",ZZ99 1AH,01632 960108,Z91B2,no,14270
Z91009,Ivy House Surgery,"5 Church Walk, Netherby",ZZ99 1AJ,01632 960109,Z91B2,no,4480
Z91010,Juniper Road Practice,"61 Juniper Road, Saltham",ZZ99 1AK,01632 960110,Z91B2,no,11905
Z91011,Kingsmead Surgery,"9 Kings Mead, Westerby",ZZ99 1AL,01632 960111,Z91B2,yes,6890
Z91012,Larkrise Health Centre,"30 Lark Rise, Easterby",ZZ99 1AM,01632 960112,Z91B2,no,9640
Z91013,Meadow View Surgery,"12 Meadow View, Ashcombe",ZZ99 1AN,01632 960113,Z91A1,no,7320
"""

ORGANISATIONS = {
    "Z91A1": (Kind.COMMISSIONER, "Northmoor and Vale ICB"),
    "Z91B2": (Kind.COMMISSIONER, "Eastwater ICB"),
    "Z91P1": (Kind.DELIVERY_PARTNER, "Northmoor GP IT Services"),
    "Z91P2": (Kind.DELIVERY_PARTNER, "Eastwater Digital Delivery"),
}
ADMINISTRATOR = ("administrator@example.org", "Robin Ellery")


@dataclass(frozen=True)
class Person:
    """Somebody of the demo; ``at`` is the code of their organisation."""

    email: str
    name: str
    role: Role
    at: str


# Those who can sign in, one for each role: what the launcher prints.
LISTED = [
    Person("practice.manager@example.org", "Priya Nair", Role.PRACTICE_MANAGER, "Z91001"),
    Person("lead.gp@example.org", "Thomas Okafor", Role.LEAD_GP, "Z91001"),
    Person("reception@example.org", "Megan Hughes", Role.PRACTICE_STAFF, "Z91001"),
    Person("nurse@example.org", "Aisha Rahman", Role.CLINICIAN, "Z91001"),
    Person("registrations@example.org", "Colin Marsh", Role.REGISTRATION_CLERK, "Z91001"),
    Person("dispensary@example.org", "Fiona Reid", Role.DISPENSARY_LEAD, "Z91001"),
    Person("practice.it@example.org", "Daniel Osei", Role.IT_LEAD, "Z91001"),
    Person("information.governance@example.org", "Ruth Levy", Role.IG_LEAD, "Z91001"),
    Person("project.manager@example.org", "Helen Baxter", Role.PROJECT_MANAGER, "Z91P1"),
    Person("project.manager.2@example.org", "Samuel Obi", Role.PROJECT_MANAGER, "Z91P2"),
    Person("trainer@example.org", "Grace Lindqvist", Role.TRAINER, "Z91P1"),
    Person("delivery.partner@example.org", "Imran Qureshi", Role.DELIVERY_PARTNER, "Z91P1"),
    Person("new.supplier@example.org", "Laura Becker", Role.SUPPLIER, "TPP"),
    Person("old.supplier@example.org", "James Whitlock", Role.SUPPLIER, "EMIS"),
    Person("commissioner@example.org", "Nadia Farouk", Role.COMMISSIONER, "Z91A1"),
    Person("national.viewer@example.org", "Peter Sandell", Role.NATIONAL_VIEWER, "NHSE"),
]

# Those who only appear in the history of other migrations; nobody signs in as them.
OTHERS = [
    Person("trainer.2@example.org", "Owen Pryce", Role.TRAINER, "Z91P2"),
    Person("delivery.partner.2@example.org", "Chloe Adeyemi", Role.DELIVERY_PARTNER, "Z91P2"),
    Person("commissioner.2@example.org", "Martin Keogh", Role.COMMISSIONER, "Z91B2"),
    Person("supplier.medicus@example.org", "Yasmin Patel", Role.SUPPLIER, "MEDICUS"),
    Person("supplier.vision@example.org", "Gareth Bowen", Role.SUPPLIER, "CEGEDIM"),
    *(
        Person(f"{job}.{code.lower()}@example.org", name, role, code)
        for code, manager, doctor in (
            ("Z91002", "Alice Fenwick", "David Mensah"),
            ("Z91003", "Brian Holt", "Sunita Verma"),
            ("Z91004", "Carla Munro", "Edward Lyle"),
            ("Z91005", "Derek Shaw", "Fatima Noor"),
            ("Z91006", "Elaine Potter", "George Annan"),
            ("Z91007", "Frank Dyer", "Hannah Weiss"),
            ("Z91008", "Gillian Tate", "Ian Drummond"),
            ("Z91009", "Harriet Cole", "Joseph Kamau"),
            ("Z91010", "Irene Walsh", "Karim Haddad"),
            ("Z91011", "Jack Thorne", "Leila Amiri"),
            ("Z91012", "Karen Boyd", "Malcolm Reeve"),
            ("Z91013", "Liam Foster", "Naomi Clarke"),
        )
        for job, name, role in (
            ("manager", manager, Role.PRACTICE_MANAGER),
            ("gp", doctor, Role.LEAD_GP),
        )
    ),
]

# Who project-manages for which delivery partner.
PROJECT_MANAGERS = {
    "Z91P1": "project.manager@example.org",
    "Z91P2": "project.manager.2@example.org",
}


def accounts() -> list[tuple[str, str, str]]:
    """Role, email address and organisation's code of everybody who can sign in."""
    rows = [(str(Role(person.role).label), person.email, person.at) for person in LISTED]
    return [(str(Role.ADMINISTRATOR.label), ADMINISTRATOR[0], "SERVICE"), *rows]
