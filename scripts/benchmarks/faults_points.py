"""What broke once, each with the test that fails if it breaks again."""

POINTS = {
    "A folder that is no artifact is refused after the whole training": (
        "tests/cli/test_outputs_in_the_way.py::"
        "test_a_folder_that_is_no_artifact_is_refused_before_the_work"
    ),
    "An artifact takes the place of the folder that holds its run": (
        "tests/cli/test_outputs_in_the_way.py::"
        "test_an_artifact_that_would_take_the_place_of_its_run_is_refused"
    ),
    "What a training that is scored chooses from is gone when it goes on": (
        "tests/recipes/test_selection.py::"
        "test_a_training_that_stops_after_it_has_chosen_can_choose_again"
    ),
    "A changed byte of kept weights is not noticed": (
        "tests/recipes/test_selection.py::test_kept_weights_that_were_damaged_are_named"
    ),
    "Files of a run that are valid JSON of another kind are no clear error": (
        "tests/cli/test_damaged_runs.py::test_a_damaged_file_of_a_run_is_named_with_the_way_out"
    ),
    "An evaluation mixes its scores with those of a training": (
        "tests/recipes/test_turns.py::test_an_evaluation_of_a_run_that_is_trained_is_refused"
    ),
    "Two style transfers write one image": (
        "tests/cli/test_outputs_in_the_way.py::"
        "test_one_image_of_a_folder_that_another_style_transfer_writes_is_told"
    ),
    "A module of the current folder is imported by a verb or a worker": (
        "tests/test_import_path.py::test_no_verb_and_no_worker_imports_from_the_current_folder"
    ),
    "A kill or a full disk while outputs are made again leaves them refused": (
        "tests/convert/test_faults.py::test_killed_at_any_rename_nothing_own_is_refused"
    ),
    "Ctrl-C in the first moments hangs": (
        "tests/convert/test_faults.py::test_an_interrupt_while_threads_start_ends_at_once"
    ),
    "Ctrl-C during imports has another status than 130": (
        "tests/test_interrupts.py::test_it_ends_with_its_status"
    ),
    "Weights that are not finite are published": (
        "tests/export/checks/test_truth.py::test_weights_that_diverged_are_not_published"
    ),
    "Outputs that are not finite are published": (
        "tests/export/checks/test_truth.py::test_outputs_that_are_not_finite_are_not_published"
    ),
    "A full disk at a checkpoint ends with a crash": (
        "tests/callbacks/test_checkpoint.py::"
        "test_a_full_disk_at_a_checkpoint_ends_with_its_message_and_no_crash"
    ),
    "A stop while a report is made or a model exported costs the training": (
        "tests/cli/test_full_disk.py::test_a_training_goes_on_from_where_the_disk_was_full"
    ),
    "Steps of a method differ from one state": (
        "tests/recipes/test_step_repeats.py::test_fifty_steps_from_one_state_are_one_step"
    ),
    "Notes of a photo turn it a second time": (
        "tests/convert/image_files/test_notes.py::test_camera_notes_are_kept_and_true_of_the_upright_output"
    ),
    "One damaged BVH file ends a folder": (
        "tests/convert/tasks/test_motion.py::test_bad_files_are_named_and_the_rest_goes_on"
    ),
    "A chain of joints makes parsing quadratic": (
        "tests/motion/test_bvh.py::test_long_chains_of_joints_take_no_longer_a_joint"
    ),
    "A BVH file takes 20 times its size in memory": (
        "tests/motion/test_bvh.py::test_reading_takes_little_more_memory_than_the_text"
    ),
    "A graph reads files outside its artifact": (
        "tests/convert/test_hostile.py::"
        "test_weights_in_other_files_are_refused_before_a_runtime_sees_them"
    ),
    "A pipe or a device is read as a photo": (
        "tests/convert/test_hostile.py::test_pipes_and_devices_are_no_files"
    ),
    "A pipe stands for a manifest or a graph": (
        "tests/convert/test_hostile.py::test_an_artifact_of_pipes_is_refused_and_not_waited_for"
    ),
    "A worker that dies while it starts ends everything": (
        "tests/convert/test_faults.py::test_a_worker_that_dies_while_it_starts_is_begun_again"
    ),
    "Two inputs of one stem refuse a folder": (
        "tests/convert/tasks/test_image_to_image.py::test_files_of_one_stem_keep_their_suffix_in_the_name"
    ),
    "A link above the output makes the second run refuse": (
        "tests/convert/test_hostile.py::"
        "test_a_link_above_the_output_is_no_obstacle_to_the_second_run"
    ),
    "A damaged number of examples fills the disk": (
        "tests/data/test_storage.py::test_stack_images_without_room_says_how_much_is_needed"
    ),
    "--watch reads all again for each new file": (
        "tests/convert/test_hostile.py::test_a_watch_reads_what_has_not_changed_no_second_time"
    ),
    "A photo takes more memory than is stated": (
        "tests/export/test_footprint.py::test_memory_of_a_run_is_as_stated"
    ),
    "Blank images become noise": (
        "tests/export/formats/test_tiling.py::test_blank_images_give_one_colour_whole_and_in_tiles"
    ),
    "A changed byte of a checkpoint is not noticed": (
        "tests/callbacks/test_checkpoint.py::test_every_byte_of_a_checkpoint_counts"
    ),
    "The name of a folder or a class commands a terminal, or computes in a spreadsheet": (
        "tests/convert/test_hostile.py::test_tables_command_no_terminal_and_compute_nothing"
    ),
    "The name in a manifest commands a terminal": (
        "tests/convert/test_hostile.py::test_a_manifests_name_commands_no_terminal"
    ),
    "Outputs take their places before the lines that vouch for them": (
        "tests/convert/test_faults.py::test_notes_are_on_the_disk_before_what_they_vouch_for"
    ),
    "The small reader takes PNG files that Pillow refuses": (
        "tests/convert/test_hostile.py::test_the_short_way_takes_nothing_that_pillow_refuses"
    ),
    "Killed trainings leave hidden files": (
        "tests/test_files.py::test_what_a_killed_process_left_goes_when_nobody_writes_it_any_more"
    ),
    "A damaged archive is no clear error": (
        "tests/data/test_damaged_npz.py::test_only_value_error_escapes_a_damaged_file"
    ),
    "A damaged data set of TFDS is no clear error": (
        "tests/data/test_tfds_source.py::test_damaged_data_sets_are_told_by_the_folder"
    ),
    "A damaged checkpoint is no clear error": (
        "tests/callbacks/test_checkpoint.py::test_damaged_checkpoint_is_named"
    ),
    "Damaged settings of a run are no clear error": (
        "tests/test_damaged.py::test_the_error_names_the_record_and_the_way_out"
    ),
    "A damaged .keras file is no clear error": (
        "tests/test_keras_models.py::test_members_that_are_damaged"
    ),
    "A damaged line of the journal is an obstacle": (
        "tests/convert/test_journal.py::test_a_damaged_journal_is_no_obstacle"
    ),
    "A damaged manifest is no clear error": (
        "tests/test_manifest.py::test_only_manifest_error_escapes_any_bytes"
    ),
    "Ray on one machine listens on other addresses": (
        "tests/convert/engines/test_ray_addresses.py::test_on_one_machine_nobody_else_can_talk_to_ray"
    ),
    "A full disk is many messages, or has no counts": (
        "tests/convert/test_faults.py::test_the_command_says_a_full_disk_once_with_counts"
    ),
    "A disk too full for a report has no counts": (
        "tests/convert/test_faults.py::test_a_disk_too_full_for_the_report_is_said_with_counts_too"
    ),
    "Between two renames an artifact that is replaced is nowhere": (
        "tests/test_files.py::test_there_is_a_whole_folder_at_every_moment"
    ),
    "A full disk is told as a fault of the hub": (
        "tests/test_hub.py::test_a_full_disk_is_no_fault_of_the_hub"
    ),
    "The second of two exports at once dies, or both have one number": (
        "tests/export/test_turns.py::test_the_second_export_waits_and_counts_on"
    ),
    "Two trainings mix their files in one folder": (
        "tests/recipes/test_turns.py::test_a_second_training_in_one_folder_is_refused"
    ),
    "A photo of more than 2 GB takes half more than is stated": (
        "tests/export/test_footprint.py::test_nothing_runs_whole_that_one_region_does_not_hold"
    ),
}
