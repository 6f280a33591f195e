"""The same acts through the same screens, where the application is a login behind row-level security (PostgreSQL)."""

import pytest

from tests.views.screens import test_matrix as matrix

pytestmark = pytest.mark.parametrize("app", ["row_security"], indirect=True)

test_what_is_forbidden = matrix.test_every_forbidden_act_is_refused_with_its_message
test_what_is_allowed = matrix.test_every_allowed_act_sent_repeatedly_happens_once
test_the_queue = matrix.test_the_reviewer_of_the_province_decides_from_the_queue_as_well
test_the_agent = matrix.test_an_agent_may_act_on_applications_filed_for_a_publisher
