"""Hand-written table of routes: which roles may use each, and how a test requests it."""

from werkzeug.routing import Rule

from models.vocabulary import Action

# P publisher and agent, R province, N nation, O operator.
# «-»: closed to every role; «.»: the route does not exist.
SCREENS = """
              applications  review  filings  exchange  register  accounts  organisations entrustments districts  traffic
index_view    P             R       R        R         N         O         O              O             O          O
create_view   P             -       -        -         -         O         O              O             -          -
edit_view     P             -       -        -         -         O         O              O             -          -
details_view  P             R       R        R         N         -         -              -             -          -
export        P             R       R        R         N         O         O              O             O          O
ajax_lookup   -             -       -        -         -         O         -              O             -          -
perform       P             R       R        R         N         .         .              .             .          .
attachment    P             R       R        .         N         .         .              .             .          .
certificate   P             R       R        .         N         .         .              .             .          .
prepare       P             R       R        .         N         .         .              .             .          .
print_all     P             R       R        .         N         .         .              .             .          .
together      .             R       .        .         .         .         .              .             .          .
bundle        P             R       R        .         N         .         .              .             .          .
copy          P             .       .        .         .         .         .              .             .          .
duplicate     P             .       .        .         .         .         .              .             .          .
upload        P             .       .        .         .         .         .              .             .          .
remove        P             .       .        .         .         .         .              .             .          .
blank         P             .       .        .         .         .         .              .             .          .
carrier_template P             .       .        .         .         .         .              .             .          .
carrier_preview P             .       .        .         .         .         .              .             .          .
carrier_take  P             .       .        .         .         .         .              .             .          .
autosave      P             .       .        .         .         .         .              .             .          .
keys          .             .       .        .         .         O         .              .             .          .
remove_key    .             .       .        .         .         O         .              .             .          .
bind_card     .             .       .        .         .         O         .              .             .          .
remove_card   .             .       .        .         .         O         .              .             .          .
unlink        .             .       .        .         .         O         .              .             .          .
give_code     .             .       .        .         .         O         .              .             .          .
end_api_key   .             .       .        .         .         O         .              .             .          .
reset         .             .       .        .         .         O         .              .             .          .
letter        .             .       .        R         .         .         .              .             .          .
preview       .             R       R        .         .         .         .              .             O          .
save_typed    .             R       R        .         .         .         .              .             .          .
renew         .             R       R        .         .         .         .              .             .          .
replace       .             .       .        .         .         .         .              .             O          .
"""


MORE_SCREENS = """
              calendar  province  announcements messages  entrusting  queries   blanks  portal
index_view    O         R         O             PRNO      P             PRNO    O       O
create_view   O         -         O             -         P             -       -       -
edit_view     -         -         O             -         -             PRNO    -       -
details_view  -         -         -             PRNO      -             -       -       -
export        O         -         O             PRNO      P             PRNO    O       O
ajax_lookup   -         -         -             -         -             -       -       -
preview       O         .         .             .         .             .       .       .
replace       O         .         .             .         .             .       .       .
remove        O         .         .             .         .             PRNO    O       .
opinions      .         R         .             .         .             .       .       .
save_opinion  .         R         .             .         .             .       .       .
withdraw      .         .         O             .         .             .       .       .
announcement  .         .         .             PRNO      .             .       .       .
mail          .         .         .             PRNO      .             .       .       .
confirm_mail  .         .         .             PRNO      .             .       .       .
read_all      .         .         .             PRNO      .             .       .       .
feed          .         .         .             R         .             .       .       .
save_feed     .         .         .             R         .             .       .       .
change        .         .         .             .         P             .       .       .
save_query    .         .         .             .         .             PRNO    .       .
ask           .         .         .             .         .             PRNO    .       .
file          .         .         .             .         .             .       O       .
save_form     .         .         .             .         .             .       O       .
link          .         .         .             .         .             .       .       O
decline       .         .         .             .         .             .       .       O
"""


LOG_SCREENS = """
              signins  operations  prints  acts  online
index_view    NO       NO          NO      N     O
create_view   -        -           -       -     -
edit_view     -        -           -       -     -
details_view  -        -           -       -     -
export        NO       NO          NO      N     O
ajax_lookup   -        -           -       -     -
end           .        .           .       .     O
unlock        .        .           .       .     O
"""


EVERYBODY = "anybody"
WITH_KEY = "who has a key of the interface, and no cookie"


SIGNING_IN = "login key_login key_options card_login confirm confirm_options logout"
PORTAL = "portal_login portal_return portal_logout"


READ_WITH_A_KEY = (
    "key list_applications show_application list_certificates show_certificate changed_applications"
    " changed_certificates count_statistics"
)
PUBLIC = (
    f"{SIGNING_IN} {PORTAL} picture sound health icon feed language status_list witness witnessed"
    " verify.show verify.upload static admin.static api.openapi"
)


OTHERS = (
    {"handbook.index": "O", "condition.index": "O", "statistics.index": "RN", "statistics.export": "RN"}
    | dict.fromkeys(("admin.index", "desk.index", "password", "visits.index", "visits.end", "help.index"), "PRNO")
    | dict.fromkeys(("keys.index", "keys.options", "keys.add", "keys.remove"), "PRNO")
    | dict.fromkeys(("apikeys.index", "apikeys.make", "apikeys.end"), "PRN")
    | dict.fromkeys((f"api.{name}" for name in READ_WITH_A_KEY.split()), WITH_KEY)
    | dict.fromkeys(PUBLIC.split(), EVERYBODY)
)

PEOPLE = {"P": "publisher", "R": "reviewer", "N": "national", "O": "operator"}


FILLED = {
    "action": "print",
    "act": "resend",
    "what": "add",
    "answer": "end",
    "export_type": "csv",
    "number": "Z",
    "filename": "panel.css",
    "token": "x",
    "how": "renew",
    "chosen": "en",
    "province": "320000",
    "year": "2026",
}


LOOKED_UP = {"accounts.ajax_lookup": "organisation", "entrustments.ajax_lookup": "publisher"}


ACTS = [
    action.value for action in Action if action not in (Action.EDIT, Action.COPY, Action.DUPLICATE)
]  # those of `perform`


def table(text: str) -> dict[str, str]:
    """Endpoint → letters of the roles that may use it."""
    head, *lines = text.strip().splitlines()
    cells = {
        f"{screen}.{view}": letter
        for view, *letters in map(str.split, lines)
        for screen, letter in zip(head.split(), letters, strict=True)
    }
    return {endpoint: letter.strip("-") for endpoint, letter in cells.items() if letter != "."}


ROUTE_ROLES = table(SCREENS) | table(MORE_SCREENS) | table(LOG_SCREENS) | OTHERS


def acts_of(rule: Rule) -> list[str]:
    """The values of `action` in this route; [""] for a route without one."""
    if "action" not in rule.arguments:
        return [""]
    return ["grant", "return"] if rule.endpoint.endswith(".together") else sorted(ACTS, key="print".__eq__)


def address(rule: Rule, key: int, **more: str) -> str:
    """The URL of a route, for this row if it takes one."""
    values = {name: (FILLED | {"action": acts_of(rule)[-1]} | more)[name] for name in rule.arguments}
    if rule.endpoint == "admin.static":
        values["filename"] = "vendor/jquery.min.js"
    built = rule.build(values)
    assert built is not None
    return f"{built[1]}?id={key}&name={LOOKED_UP.get(rule.endpoint, '')}"


def files_of(records: dict[str, list[dict[str, int]]]) -> list[int]:
    """The ids of an application's attachments, from the rows of `stored_rows`."""
    return [file["id"] for file in records["attachment"]]


# Account → (its screens, the (filer, status) of rows that it must not see there).
FOREIGN_ROWS = {
    "publisher": (["applications"], [("publisher2", "draft"), ("agent", "draft"), ("agent", "filed")]),
    "agent": (["applications"], [("publisher", "returned"), ("publisher2", "filed")]),
    "reviewer": (
        ["review", "filings"],
        [("publisher", "draft"), ("publisher440000", "pending"), ("publisher440000", "filed")],
    ),
    "national": (["register"], [("publisher", "draft"), ("publisher", "pending"), ("publisher", "refused")]),
}
