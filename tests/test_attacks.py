"""Attacks that programs like this one fell to, and the tests that hold each of them off.

The programs are other clients for models, the servers that they talk to, and messengers. An attack without a test fails
here, as does a test that was renamed and left its attack alone.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

_TESTS: Final = Path(__file__).parent
_CALLS: Final = "core/chat/tool_calls"

# What is attacked, and the tests: a file below ``tests`` and its functions.
ATTACKS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "an image in an answer carries data out": {
        "ui/transcript/items/test_image_item.py": (
            "test_a_remote_image_is_fetched_by_the_press_of_its_button_only",
            "test_an_image_in_the_readers_own_network_is_asked_about_once_more",
        ),
    },
    "an image in an answer reads a file of this computer": {
        "ui/transcript/items/test_image_item.py": (
            "test_other_addresses_have_no_button",
            "test_stored_names_do_not_lead_out_of_the_folder",
        ),
        "ui/features/transfer/test_printing.py": (
            "test_an_unknown_resource_is_an_empty_picture_and_nothing_is_opened",
        ),
    },
    "a link runs a program": {
        "core/rendering/test_safety.py": ("test_only_three_schemes_are_safe",),
        "core/rendering/test_misleading_links.py": ("test_deceptive_links_show_where_they_lead",),
        "ui/transcript/test_view.py": ("test_only_safe_links_leave_the_transcript",),
    },
    "markup in a message becomes code": {
        "core/rendering/test_markdown_shapes.py": ("test_a_few_tags_are_read_and_no_others",),
        "core/rendering/test_markdown_hostile.py": ("test_no_hostile_text_reaches_the_deadline",),
        "ui/transcript/copying/test_selection.py": ("test_hostile_links_do_not_get_into_the_html",),
    },
    "markup in a title, a name or an error is read as such": {
        "ui/window/test_main_window.py": ("test_errors_are_shown_as_plain_text",),
        "ui/features/transfer/test_import_dialog.py": ("test_the_report_is_a_line_a_thread_and_plain_text",),
        "ui/features/desktop/test_notify.py": ("test_markup_is_shown_as_plain_text",),
    },
    "a link of ours sets up a server or runs a command": {
        "core/test_links.py": ("test_nothing_else_is_a_link",),
        "e2e/test_opened_links.py": (
            "test_an_invalid_link_is_refused_where_it_was_opened",
            "test_an_invitation_is_shown_and_nothing_is_joined",
        ),
    },
    "signing in leads to a program or to another server": {
        "core/tools/test_sign_ins.py": (
            "test_an_attack_ends_the_sign_in_with_words",
            "test_an_answer_with_another_state_changes_nothing",
            "test_nothing_is_asked_or_registered_before_a_person_wants_to_sign_in",
        ),
        "core/tools/host/test_sign_in.py": ("test_a_server_on_the_network_leads_to_no_open_or_inner_address",),
    },
    "a tool that was allowed becomes another one": {
        "core/tools/test_tool_service.py": ("test_a_permission_is_for_one_place_one_command_and_one_description",),
        "core/tools/test_host_client.py": ("test_a_tool_that_changed_since_it_was_offered_is_not_called",),
        "test_hostile_tool_servers.py": ("test_a_tool_that_changes_while_its_card_is_open_does_not_run",),
    },
    "a description gives orders, or imitates another tool": {
        "test_injections.py": ("test_an_order_in_a_description_is_asked_about",),
        "test_hostile_tool_servers.py": (
            "test_a_name_that_imitates_another_is_told_apart",
            "test_terminal_codes_and_reversed_text_are_neutralised",
        ),
        f"{_CALLS}/test_offered_tools.py": ("test_a_tool_cannot_take_the_place_of_the_search",),
    },
    "another program or another directory sets up a server": {
        "service/test_openapi.py": ("test_no_address_sets_up_starts_or_allows_a_tool",),
        "core/tools/test_tool_service.py": (
            "test_the_servers_of_another_data_directory_stay_off",
            "test_permissions_are_kept_under_a_seal",
        ),
    },
    "what is read gives orders for the next call": {
        "test_injections.py": ("test_an_order_in_data_runs_nothing_unasked",),
        f"{_CALLS}/test_loop.py": ("test_a_call_of_an_import_is_never_run",),
        f"{_CALLS}/test_earlier_steps.py": ("test_calls_of_others_are_never_asked_about",),
        "core/storage/chat/test_outside_text.py": ("test_words_of_others_count_wherever_they_stand",),
    },
    "a server inherits secrets": {
        "core/tools/test_host_client.py": ("test_a_server_gets_only_what_it_was_given",),
        "core/tools/test_tool_service.py": ("test_a_secret_is_for_the_command_it_was_given_for",),
    },
    "a page in the browser reaches the local service": {
        "service/test_gate.py": (
            "test_every_route_refuses_unauthorised_callers",
            "test_pages_of_named_origins_may_ask_with_a_token_and_without_credentials",
        ),
        "live_local/test_chromium.py": (
            "test_a_name_that_turns_into_this_computer_opens_nothing",
            "test_a_page_of_another_origin_reads_nothing_and_changes_nothing",
        ),
    },
    "a port is open to everybody": {
        "service/test_gate.py": ("test_every_route_refuses_unauthorised_callers",),
        "core/tools/host/test_redirect_receiver.py": ("test_a_request_unlike_a_browsers_is_refused",),
    },
    "an id leads to what is another person's": {
        "core/sync/team_store/test_team_store_attack.py": ("test_random_operations_read_and_forge_nothing",),
        "service/test_gate.py": ("test_a_token_reaches_its_own_projects_only",),
    },
    "a header alone lets somebody in": {
        "service/test_gate.py": (
            "test_each_route_wants_its_scope",
            "test_ambiguous_requests_are_refused",
        ),
    },
    "a provider's stream commands the program": {
        "core/providers/test_openai_compatible_faults.py": (
            "test_a_fault_has_its_kind_and_keeps_the_partial_answer",
            "test_an_odd_but_whole_answer_is_complete",
        ),
    },
    "an address leads into the inner network": {
        "core/fetching/test_guarded_fetch.py": (
            "test_a_redirect_into_a_private_network_is_refused",
            "test_a_name_is_looked_up_once_and_that_address_is_used",
        ),
        "core/tools/host/test_server_connection.py": ("test_a_redirect_to_another_server_takes_nothing_there",),
        "core/providers/test_openai_compatible_faults.py": ("test_a_redirect_does_not_carry_the_question_elsewhere",),
    },
    "a name of a file leads out of its folder": {
        "test_hostile_tool_servers.py": ("test_paths_and_addresses_of_a_result_lead_nowhere",),
        "core/system/test_file_writing_symlinks.py": ("test_no_planted_symlink_is_followed",),
    },
    "a file that came in is run": {
        "ui/transcript/items/test_file_item.py": ("test_an_executable_file_cannot_be_opened",),
        "ui/features/chat/test_transcript_files.py": (
            "test_an_attached_file_is_opened_under_an_ending_that_cannot_run",
        ),
    },
    "an import unfolds for ever": {
        "core/transfer/imports/test_imports_hostile.py": (
            "test_a_zip_bomb_is_refused_before_it_is_opened",
            "test_bombs_and_damage_inside_of_zips_in_the_zip_are_refused",
        ),
        "core/transfer/imports/test_formats_of_programs_hostile.py": ("test_deep_values_are_passed_over",),
    },
    "a picture unfolds for ever": {
        "ui/transcript/items/test_image_item.py": ("test_a_picture_of_too_many_pixels_is_refused",),
        "core/rendering/drawing/test_diagram_drawing.py": (
            "test_an_svg_that_is_too_long_is_not_drawn",
            "test_an_svg_that_names_another_resource_is_not_drawn",
        ),
    },
    "a key is in logs, exports or reports": {
        "e2e/test_marked_key.py": ("test_a_marked_key_is_in_nothing_that_was_written",),
        "core/providers/test_endpoint.py": ("test_a_key_that_a_server_answers_with_is_hidden",),
    },
    "letters that nobody sees carry words": {
        "core/rendering/test_safety.py": (
            "test_hidden_characters_are_shown",
            "test_no_place_in_a_text_hides_a_turned_line",
        ),
        "test_injections.py": ("test_an_order_in_data_runs_nothing_unasked",),
    },
    "a loop of calls spends without end": {
        f"{_CALLS}/test_loop.py": (
            "test_steps_are_limited",
            "test_time_is_limited",
            "test_a_flood_of_calls_is_not_put_before_a_person",
        ),
    },
    "keys and chats lie open beside each other": {
        "core/settings/test_key_file.py": ("test_the_file_holds_its_parameters_and_no_key_and_is_its_owners_only",),
        "core/storage/engine/test_database.py": ("test_files_are_for_their_owner_only",),
        "core/test_paths.py": ("test_directories_are_private_even_if_they_were_not",),
    },
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_attack_has_its_tests(attack: str) -> None:
    assert ATTACKS[attack]
    for name, functions in ATTACKS[attack].items():
        there = set(re.findall(r"^(?:async )?def (test_\w+)\(", (_TESTS / name).read_text("utf-8"), flags=re.MULTILINE))
        assert functions and not set(functions) - there, name


def test_the_list_is_whole() -> None:
    assert len(ATTACKS) == 26
