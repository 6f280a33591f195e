"""The hand-written matrix, from the manual and section 1 of the design, independent of ACTS."""

# P publisher, R reviewer, N nation; the operator may do nothing.
MATRIX = """
                 edit submit withdraw delete print return decline refuse extend grant resend revoke copy duplicate
draft            P    P      -        P      -     -      -       -      -      -     -      -      -    P
pending          -    -      P        -      -     R      R       R      R      R     -      -      -    P
returned         P    P      -        -      -     -      -       -      -      -     -      -      -    P
not_accepted     -    -      -        P      -     -      -       -      -      -     -      -      -    P
refused          -    -      -        P      -     -      -       -      -      -     -      -      -    P
filed            -    -      -        -      PRN   -      -       -      -      -     -      R      -    P
customs_received -    -      -        -      PRN   -      -       -      -      -     -      R      -    P
customs_failed   -    -      -        -      -     -      -       -      -      -     R      R      -    P
revoked          -    -      -        -      -     -      -       -      -      -     -      -      P    P
"""


# Taking a case, never required (not in the manual).
TAKING = """
                 take take_over put_back
draft            -    -         -
pending          R    R         R
returned         -    -         -
not_accepted     -    -         -
refused          -    -         -
filed            -    -         -
customs_received -    -         -
customs_failed   -    -         -
revoked          -    -         -
"""


# Acts on a message to customs. R province; L province, but only when customs has been silent for long (久未回执).
MESSAGES = """
             release  ask  set_aside  settle_accepted  settle_rejected
queued       -        -    -          -                -
sent         -        R    L          L                L
set_aside    R        -    -          L                L
accepted     -        -    -          -                -
rejected     -        -    -          -                -
"""


LETTERS = {"publisher": "P", "reviewer": "R", "national": "N", "operator": "O"}


LEADS_TO = {
    "submit": "pending",
    "return": "returned",
    "withdraw": "draft",
    "decline": "not_accepted",
    "refuse": "refused",
    "grant": "filed",
    "resend": "filed",
    "revoke": "revoked",
}
SETTLED = {  # status → the status after settling by hand; other statuses do not change
    "settle_accepted": ("filed", "customs_received"),
    "settle_rejected": ("filed", "customs_failed"),
}
LEASE_HOLDERS = {"put_back": "reviewer", "take_over": "second"}  # acts that need a case which somebody has taken


def table(text: str = MATRIX) -> dict[tuple[str, str], str]:
    """(status, action) → the letters of the roles that may perform it."""
    head, *rows = text.strip("\n").splitlines()
    actions = head.split()
    return {(row.split()[0], act): cell for row in rows for act, cell in zip(actions, row.split()[1:], strict=True)}


CELLS, MESSAGE_CELLS = table() | table(TAKING), table(MESSAGES)
