"""A small model of the register: who sees a case, which acts are refused, and what an act leaves behind.

Written by hand from the manual and the README, independent of the product's rules (tests/models/matrix.py).
"""

from dataclasses import dataclass, field

from tests.models.matrix import CELLS, LEADS_TO, MESSAGE_CELLS, SETTLED
from tests.views.screens.acts_done import ISSUED

FILES = ("application_form", "licence", "sample", "contract")  # required of each application
REPORTED = {"grant", "resend", "revoke"}  # acts that customs is sent
VERSIONLESS = {"print", "copy", "duplicate"}  # acts that do not compare the version of the page
DECIDING = {"grant", "return", "decline", "refuse", "extend"}  # acts that a colleague's lease prevents
ENDED = {"not_accepted", "refused", *ISSUED}
ANSWERS = {True: ("customs_accepted", "customs_received"), False: ("customs_rejected", "customs_failed")}


@dataclass(frozen=True)
class Person:
    """An account of the tests: its user name, its letter in the matrix, its province, and its first screen."""

    name: str
    letter: str
    province: str = ""
    screen: str = "applications"


PEOPLE = (
    Person("publisher", "P", "320000"),
    Person("publisher2", "P", "320000"),
    Person("publisher440000", "P", "440000"),
    Person("agent", "P"),
    Person("reviewer", "R", "320000", "filings"),
    Person("second", "R", "320000", "review"),
    Person("reviewer2", "R", "440000", "filings"),
    Person("national", "N", "", "register"),
    Person("operator", "O", "", "filings"),
)
NAMED = {person.name: person for person in PEOPLE}
UNITS = {"publisher": "江苏文艺音像出版社", "publisher2": "江苏电子音像出版社", "publisher440000": "440000音像出版社"}


@dataclass
class Message:
    """A message to customs."""

    act: str
    state: str = "queued"

    @property
    def is_open(self) -> bool:
        return self.state not in ("accepted", "rejected")


@dataclass
class Entrustment:
    """A publisher's entrustment of the agent."""

    publisher: str
    pending: bool = False
    ended: bool = False


@dataclass(eq=False)
class Case:
    """An application. `entries`: (act, user name; "" for customs); `files`: kinds, in order."""

    key: int
    owner: str
    publisher: str | None
    files: list[str]
    entries: list[tuple[str, str]]
    status: str = "draft"
    messages: list[Message] = field(default_factory=list)
    deleted: bool = False
    opened: bool = False
    holder: str = ""
    has_paper: bool = False
    copied_from: "Case | None" = None
    is_replaced: bool = False
    is_typed: bool = False  # has unsaved text of its owner
    uses: list[tuple[str, str]] = field(default_factory=list)  # (entry of the trail, 海关单号)

    def has(self, act: str) -> bool:
        """Whether anybody has done this act."""
        return any(done == act for done, _by in self.entries)

    @property
    def province(self) -> str:
        return NAMED[self.publisher].province if self.publisher else ""

    @property
    def is_rejected(self) -> bool:
        return bool(self.messages) and self.messages[-1].state == "rejected"


class Register:
    """All cases, entrustments and disabled accounts."""

    def __init__(self) -> None:
        self.cases: list[Case] = []
        self.entrustments = [Entrustment("publisher"), Entrustment("publisher440000")]
        self.disabled: set[str] = set()

    def sees(self, person: Person, case: Case) -> bool:
        if person.name in self.disabled:
            return False
        if person.letter == "P":
            return case.owner == person.name and not case.deleted
        if person.letter == "R":
            return case.province == person.province and case.status != "draft"
        return person.letter == "N" and case.status in ISSUED

    def entrusts(self, publisher: str | None, person: str) -> bool:
        """Whether this person may apply for the publisher today."""
        valid = (each for each in self.entrustments if not each.pending and not each.ended)
        return publisher == person or (person == "agent" and publisher in {each.publisher for each in valid})

    def refuses(self, person: Person, case: Case, act: str, is_stale: bool = False) -> bool:
        """Whether an act of a person who sees the case is refused."""
        is_repeat = act == "resend" and self.may_repeat(person, case)
        if person.letter not in CELLS[case.status, act] and not is_repeat:
            return True
        if is_stale and act not in VERSIONLESS:
            return True
        return self._leased(person, case, act) or self._prevented(person, case, act)

    @staticmethod
    def may_repeat(person: Person, case: Case) -> bool:
        """Whether the person may send a revocation again, which customs has rejected."""
        return person.letter == "R" and case.status == "revoked" and case.is_rejected

    @staticmethod
    def _leased(person: Person, case: Case, act: str) -> bool:
        own, others = case.holder == person.name, case.holder not in ("", person.name)
        prevented = {"take": own or others, "take_over": not others, "put_back": not own}
        return prevented.get(act, act in DECIDING and others)

    def _prevented(self, person: Person, case: Case, act: str) -> bool:
        """Whether former acts, or what is missing, prevent an act."""
        match act:
            case "withdraw":
                return case.opened or case.has("return")
            case "extend":
                return case.has("extend")
            case "submit":
                return case.is_typed or not (self.complete(case) and self.entrusts(case.publisher, person.name))
            case "print":
                return not case.has_paper
            case "grant":
                return case.copied_from is not None and case.copied_from.is_replaced
            case "copy":
                return case.is_replaced or self.has_undecided_copy(case)
        return False

    def complete(self, case: Case) -> bool:
        required = {*FILES, "entrustment"} if case.owner == "agent" else {*FILES}
        return case.publisher is not None and required <= set(case.files)

    def has_undecided_copy(self, case: Case) -> bool:
        copies = (each for each in self.cases if each.copied_from is case)
        return any(not copy.deleted and copy.status not in ENDED for copy in copies)

    def perform(self, person: Person, case: Case, act: str) -> None:
        """What an allowed act leaves behind; the new draft of 重新申请 and 复制新建 is added by add_copy()."""
        case.entries += [] if act == "duplicate" else [(act, person.name)]
        if act in REPORTED:
            repeats = act == "resend" and case.status == "revoked"
            case.messages.append(Message(case.messages[-1].act if repeats else act))
        if not (act == "resend" and case.status == "revoked"):
            case.status = LEADS_TO.get(act, case.status)
        case.deleted |= act == "delete"
        case.opened = (case.opened and act != "submit") or act in ("take", "take_over")
        case.holder = {"take": person.name, "take_over": person.name, "put_back": ""}.get(act, case.holder)
        if case.status != "pending":
            case.holder = ""
        if act == "grant" and case.copied_from is not None:
            case.copied_from.is_replaced = True

    def add_copy(self, person: Person, case: Case, act: str, key: int) -> None:
        """The draft of 重新申请, with the files, or of 复制新建, without."""
        files = list(case.files) if act == "copy" else []
        entries = [("start", person.name), *[("attach", person.name)] * len(files)]
        publisher = case.publisher if self.entrusts(case.publisher, person.name) else None
        # Without its publisher the draft replaces no certificate, but is a copy of the case all the same.
        self.cases.append(Case(key, person.name, publisher, files, entries))
        self.cases[-1].copied_from = case if act == "copy" else None

    def look(self, person: Person, case: Case) -> None:
        """The province has opened the page of the case, which ends 撤回."""
        if person.letter == "R" and self.sees(person, case):
            case.opened |= case.status == "pending"

    def send(self) -> None:
        """Each message whose predecessors are answered is sent."""
        for case in self.cases:
            waiting = [message for message in case.messages if message.is_open][:1]
            for message in waiting:
                message.state = "sent" if message.state == "queued" else message.state

    def answer(self, case: Case, message: Message, is_accepted: bool) -> bool:
        """A receipt of customs; False when the message has been answered before."""
        if not message.is_open:
            return False
        self._close(case, message, is_accepted, ANSWERS[is_accepted][0], "")
        return True

    def use(self, case: Case, is_used_up: bool, reference: str) -> None:
        """Customs reports a use of the certificate; a known one leaves nothing."""
        reported = ("written_off" if is_used_up else "use_noted", reference)
        if reported not in case.uses:
            case.uses.append(reported)
            case.entries.append((reported[0], ""))

    def refuses_on_message(self, message: Message, act: str) -> bool:
        return MESSAGE_CELLS[message.state, act] == "-"

    def act_on_message(self, person: Person, case: Case, message: Message, act: str) -> None:
        """放行, 搁置, or an answer recorded by hand, long after it was sent."""
        if act in SETTLED:
            self._close(case, message, act == "settle_accepted", act, person.name)
        else:
            case.entries.append((act, person.name))
            message.state = {"release": "sent", "set_aside": "set_aside"}[act]

    @staticmethod
    def _close(case: Case, message: Message, is_accepted: bool, entry: str, by: str) -> None:
        message.state = "accepted" if is_accepted else "rejected"
        if case.status == "filed" or by:
            case.entries.append((entry, by))
        if case.status == "filed":
            case.status = ANSWERS[is_accepted][1]
