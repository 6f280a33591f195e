"""The browser test of each script module.

TESTS was verified: with its module emptied, each named test fails, and it passes with all modules whole. Emptied means
that every exported function does nothing, and nothing else is left. To verify again (half an hour), all modules or
some; it prints the step at which each test failed, which should be about the behaviour of the module:

    python -m tests.browser.modules [panel/menu.js …]
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests import ROOT

STATIC = "templates/static"
EXPORT = re.compile(r"^export (?:(async )?function|const) ([\w$]+)", re.M)
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "instance")
TESTS = {  # module → test, both as paths: of templates/static, and of tests/browser
    "login.js": "test_login.py::test_the_password_can_be_shown",
    "once.js": "test_once.py::test_a_double_click_sends_a_form_once",
    "panel.js": "test_panel.py::test_deleting_asks_for_confirmation_and_no_changes_nothing",
    "panel/acts.js": "test_panel.py::test_deleting_asks_for_confirmation_and_no_changes_nothing",
    "panel/again.js": "test_signed_out.py::test_an_ended_session_asks_for_the_password_over_the_page_and_continues",
    "panel/autosave.js": "test_autosave.py::test_a_blank_form_becomes_one_draft",
    "panel/calendar.js": "test_calendar.py::test_the_calendar_opens_on_the_typed_day",
    "panel/combobox.js": "test_combobox.py::test_the_number_of_matches_is_announced",
    "panel/decision.js": "test_case.py::test_a_half_typed_opinion_is_saved_for_its_case_and_person",
    "panel/dialog.js": "test_panel.py::test_escape_cancels_a_confirmation",
    "panel/entrustment.js": "test_publisher_choice.py::"
    "test_the_entrustment_letter_is_required_only_for_another_publisher",
    "panel/exports.js": "test_exports.py::"
    "test_the_toolbar_says_that_a_file_is_being_made_and_then_that_the_download_has_begun",
    "panel/form.js": "test_panel.py::test_typed_words_are_not_left_by_accident",
    "panel/grid.js": "test_grid.py::test_a_row_is_duplicated_and_a_column_filled_down",
    "panel/insert.js": "test_case.py::test_a_stock_opinion_is_inserted_at_the_cursor_and_not_sent_by_the_same_key",
    "panel/lease.js": "test_case.py::test_working_on_a_case_renews_its_lease_and_a_lost_lease_is_shown",
    "panel/menu.js": "test_panel.py::test_the_menu_opens_on_a_telephone",
    "panel/notices.js": "test_notices.py::test_a_chosen_import_file_shows_its_name_before_it_is_sent",
    "panel/page.js": "test_keeping.py::test_a_refused_form_shows_what_is_wrong_and_warns_before_it_is_left",
    "panel/paste.js": "test_grid.py::test_a_pasted_column_without_heading_goes_to_the_column_of_the_cursor",
    "panel/plant.js": "test_plants.py::test_a_plant_of_a_former_application_fills_its_empty_fields",
    "panel/rows.js": "test_without_script.py::test_with_script_a_new_form_has_one_row_and_a_draft_no_blank_one",
    "panel/search.js": "test_combobox.py::test_an_option_is_found_by_code_name_part_or_pinyin",
    "panel/send.js": "test_signed_out.py::"
    "test_a_page_opened_before_its_account_signed_in_again_is_saved_with_a_new_token",
    "panel/submit.js": "test_keeping.py::test_a_save_without_a_server_leaves_the_page_unchanged",
    "panel/toolbar.js": "test_panel.py::test_the_toolbar_acts_on_the_picked_row",
    "panel/uploads.js": "test_first_files.py::test_a_file_chosen_before_the_script_has_loaded_is_uploaded",
    "panel/viewer.js": "test_case.py::test_a_case_is_read_beside_its_files_and_the_next_one_opened",
    "panel/waiting.js": "test_bundle.py::test_a_print_window_waits_until_the_pdf_is_made",
    "security_key.js": "test_security_keys.py::"
    "test_the_key_page_at_another_address_is_disabled_and_links_to_the_right_address",
    "verify.js": "test_verify.py::test_typed_text_stays_when_the_language_changes",
    "wrong.js": "test_small_screens.py::test_the_message_of_a_field_goes_away_once_it_is_filled",
}


def emptied(script: str) -> str:
    """The module with the same exports, whose functions do nothing."""
    return "".join(f"export {kind}function {name}() {{}}\n" for kind, name in EXPORT.findall(script))


def run(folder: Path, tests: Iterable[str]) -> tuple[bool, str]:
    """Run tests of tests/browser on SQLite, in a copy of the project: whether all pass, and what pytest prints."""
    nodes = [f"tests/browser/{test}" for test in tests]
    command = [sys.executable, "-m", "pytest", "-qx", "-k", "not postgresql", *nodes]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return ended.returncode == 0, ended.stdout + ended.stderr


def fails_without(folder: Path, module: str) -> bool:
    """Whether the test of a module fails while the module is emptied: in its steps, not only by a script error."""
    path = folder / STATIC / module
    whole = path.read_text(encoding="utf-8")
    path.write_text(emptied(whole), encoding="utf-8")
    _passes, printed = run(folder, [TESTS[module]])
    path.write_text(whole, encoding="utf-8")
    fails = f"\nFAILED tests/browser/{TESTS[module]}" in printed
    found = re.search(r"^>.*\n(?:.*\n)*?E .*", printed.partition("= FAILURES =")[2], re.M)
    sys.stdout.write(f"{module} {'fails' if fails else 'DOES NOT FAIL'}\n{found[0] if found else printed}\n")
    sys.stdout.flush()
    return fails


def main(modules: list[str]) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(shutil.copytree(ROOT, Path(temporary) / "copy", ignore=NOT_COPIED))
        passes, printed = run(folder, {TESTS[module] for module in modules})
        if not passes:
            sys.exit(printed)
        if unproved := [module for module in modules if not fails_without(folder, module)]:
            sys.exit(f"no test fails without {', '.join(unproved)}")


if __name__ == "__main__":
    main(sys.argv[1:] or [*TESTS])
