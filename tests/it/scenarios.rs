//! The scenarios of `tests/it/scenarios/*.scn`, one test each for either world.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use towpath_core::model::Ways;

use crate::forge::hosts::{GitHub, GitLab, Gitea};
use crate::forge::scenes::Scene;
use crate::scenario::on_forge::OnForge;
use crate::scenario::parse;
use crate::scenario::plain_forge::Plain;
use crate::scenario::real_stage::RealStage;
use crate::scenario::run::{Stage, play};
use crate::scenario::sim_stage::SimStage;
use crate::support::book::BY_MERGE;

/// A forge that can fast-forward as well.
const BOTH: Ways = Ways { push: false, fast_forward: true, merge_commit: true };

/// One that can do nothing else.
const FORWARD_ONLY: Ways = Ways { push: false, fast_forward: true, merge_commit: false };

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/scenarios")
}

/// Plays a file.
fn transcript<S: Stage>(name: &str, ways: Ways) -> String {
    let text = std::fs::read_to_string(folder().join(format!("{name}.scn"))).unwrap();
    let script = parse::parse(name, &text).unwrap_or_else(|mistakes| panic!("\n{mistakes}"));
    play::<S>(&script, ways)
}

/// The simulated world has to give the transcript that is kept beside the file.
fn keeps(name: &str) {
    let transcript = transcript::<SimStage>(name, BY_MERGE);
    kept_in(&folder().join("snapshots"), || insta::assert_snapshot!(name, transcript));
}

/// A real world has to give the transcript of the simulated one. It is compared with that and not
/// with the kept file, so that updating snapshots can never hide a difference between the worlds.
fn agrees<S: Stage>(name: &str, ways: Ways) {
    same(name, &transcript::<SimStage>(name, ways), &transcript::<S>(name, ways));
}

/// A forge has to give it, too, but for the words that it is allowed to have instead.
fn agrees_on<F: Scene + 'static>(name: &str, ways: Ways) {
    let allowed = |text: String| F::OTHERWISE.iter().fold(text, |text, (had, new, _)| text.replace(had, new));
    let real = allowed(transcript::<RealStage<OnForge<F>>>(name, ways));
    same(name, &allowed(transcript::<SimStage>(name, ways)), &real);
}

fn same(name: &str, simulated: &str, real: &str) {
    if let Some(difference) = difference(simulated, real) {
        panic!("\n{name}.scn: the worlds differ {difference}\n\nthe whole of the real one:\n{real}");
    }
}

/// The first lines that differ, with what led to them.
fn difference(simulated: &str, real: &str) -> Option<String> {
    let (simulated, real): (Vec<&str>, Vec<&str>) = (simulated.lines().collect(), real.lines().collect());
    let at = (0..simulated.len().max(real.len())).find(|at| simulated.get(*at) != real.get(*at))?;
    let step = simulated[..at].iter().rev().find(|line| line.starts_with('>')).unwrap_or(&"at the start");
    let line = |lines: &[&str]| lines.get(at).map_or_else(|| "nothing".to_owned(), |line| line.trim().to_owned());
    Some(format!("after\n  {step}\n  simulated: {}\n  real:      {}", line(&simulated), line(&real)))
}

fn kept_in(folder: &Path, assert: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(assert);
}

/// Where the language's own tests keep what they print.
fn own() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/scenario/snapshots")
}

macro_rules! both_worlds {
    ($($name:ident)*) => {
        mod simulated {
            $(#[test]
            fn $name() {
                super::keeps(stringify!($name));
            })*
        }

        mod real {
            $(#[test]
            fn $name() {
                super::agrees::<super::RealStage<super::Plain>>(stringify!($name), super::BY_MERGE);
            })*
        }
    };
}

/// One module a forge and way of merging, one test a scenario. `all()` leaves it to the campaign, `any()` to nobody.
macro_rules! on_forge {
    ($($module:ident: $forge:ident $ways:ident ignored $when:meta { $($name:ident)* })*) => {
        $(mod $module {
            $(#[test]
            #[cfg_attr($when, ignore = "scripts/campaign scenarios-on-forges")]
            fn $name() {
                super::agrees_on::<super::$forge>(stringify!($name), super::$ways);
            })*
        })*
    };
}

/// Every scenario, once, under where it runs besides the two worlds.
macro_rules! scenarios {
    (
        requests { $($request:ident)* }
        requests_but_on_gitlab { $($bound:ident)* }
        others { $($other:ident)* }
        apart { $($apart:ident: $why:literal)* }
    ) => {
        const ALL: &[&str] = &[
            $(stringify!($request),)* $(stringify!($bound),)* $(stringify!($other),)* $(stringify!($apart),)*
        ];

        both_worlds! { $($request)* $($bound)* $($other)* $($apart)* }

        on_forge! {
            gitea: Gitea BY_MERGE ignored any() { $($request)* $($bound)* $($other)* }
            gitea_forward: Gitea BOTH ignored any() { $($request)* $($bound)* }
            github: GitHub BY_MERGE ignored any() { $($request)* $($bound)* }
            github_forward: GitHub BOTH ignored any() { $($request)* $($bound)* }
            gitlab: GitLab BY_MERGE ignored any() { $($request)* }
            gitlab_forward: GitLab FORWARD_ONLY ignored any() { $($request)* }
        }

        /// Too many for every run of the tests.
        mod campaign {
            use super::{BY_MERGE, GitHub, GitLab, agrees_on};

            on_forge! {
                github: GitHub BY_MERGE ignored all() { $($other)* }
                gitlab: GitLab BY_MERGE ignored all() { $($other)* }
            }
        }
    };
}

scenarios! {
    requests {
        request_answer_lost_no_duplicate
        request_approvals_of_a_team
        request_at_once_while_commits_keep_coming
        request_closed_by_a_person
        request_closed_with_a_foreign_head
        request_draft
        request_head_follows_until_approved
        request_head_of_others_is_put_back
        request_http_gate_before_proposing
        request_merged_by_people_only
        request_merger_is_no_author
        request_next_edge_takes_the_merge
        request_objection_waits
        request_observed_only
        request_older_candidate_lacks_a_hotfix
        request_opened_approved_merged
        request_override_as_long_as_the_head
        request_override_over_a_weekend
        request_paused_is_not_opened
        request_promote_by_default
        request_promote_outlives_its_hour
        request_promote_takes_the_head
        request_promote_where_people_merge
        request_refused_head_keeps_approvals
        request_squashed_by_a_person
        request_two_edges_by_request
        request_window_and_schedule
    }
    // GitLab binds no approval to a commit: one of a head that was replaced meanwhile has to be given again. And
    // what people do there lies some seconds apart, so that a transcript that says `now` elsewhere does not there.
    requests_but_on_gitlab {
        request_gate_blocks_the_head
        request_override_ends_with_its_request
    }
    others {
        a_pause_is_told_of_before_it_ends
        a_person_pushes_what_production_would_get
        a_rewind_and_a_put_back_are_told
        approvals_author_allowed
        approvals_author_refused
        approvals_by_command
        approvals_two_people
        behind_alarm
        behind_alarm_only_observed
        blocked_alarm
        blocked_alarm_only_observed
        candidates_commits
        cherry_pick_never_ff
        ci_all_reported
        ci_is_judged_again_in_the_next_tick
        ci_missing_after
        ci_no_result_is_not_green
        ci_red_elsewhere_does_not_spoil
        ci_ref_any_and_source
        clock_jump_back
        clock_jump_forward_does_not_hasten
        compare_against
        compare_agreed_and_later
        compare_beside_acting
        compare_earlier
        compare_flapping_decision
        compare_not_yet
        compare_several_and_between
        crash_after_mark_pushing
        crash_after_mark_sent
        crash_after_propose
        crash_after_push
        crash_after_read_ref
        crash_after_record
        crash_after_reread
        crash_after_save_intent
        crash_after_save_proposal
        crash_after_send
        crash_before_mark_pushing
        crash_before_mark_sent
        crash_before_propose
        crash_before_push
        crash_before_read_ref
        crash_before_record
        crash_before_reread
        crash_before_save_intent
        crash_before_save_proposal
        crash_before_send
        deleted_target_not_recreated
        docplanner_day
        docplanner_migrations
        docplanner_refuse
        dst_window
        empty_merge_named
        freeze_refuses_promote
        freeze_stops_a_standing_promote
        happy_three_branches
        heads_up_and_a_hold
        heads_up_and_a_pause
        heads_up_in_place_of_another
        heads_up_only_observed
        heads_up_taken_back
        heads_up_then_the_move
        held_is_not_on_its_way
        hold_before_the_push_stops_it
        hold_blocks_and_unhold
        hold_on_one_environment
        hold_says_what_it_stops
        hold_whole_range
        hotfix_diverges_and_back_merge
        hotfix_while_a_push_is_under_way
        http_gate_asks_once_all_else_passes
        http_gate_blocks_and_override
        http_gate_changes_its_mind_before_the_push
        http_gate_says_until_when
        http_gate_without_a_verdict_waits
        lag_first_sight
        lag_is_not_restarted_by_ci
        lag_is_sliding_per_commit
        lag_of_a_hand_push_counts_from_it
        lag_since_check
        lag_since_follows_the_rule_of_its_check
        look_back_is_said
        lose_answer_lands_once
        lost_push_is_given_up_and_a_person_decides
        merge_commit_first_parent_chain
        merged_again_starts_lag_anew
        migrations_accepted
        migrations_break_blocks
        migrations_deployed
        migrations_override
        migrations_rollback
        migrations_rollback_is_judged_again
        never_push_tip_names_ci_branch
        newer_never_resets_older
        newest_passing_moves_red_skipped
        observe_mode_moves_nothing
        observe_one_environment
        observe_then_act_keeps_what_people_took_back
        on_its_way_waits
        one_border_per_tick
        order_on_what_is_not_there
        override_ends_after_an_hour
        override_gate
        overtaken_by_a_person
        pause_and_resume
        pause_default_is_a_day
        pause_everywhere_and_resume_less
        pause_expires
        pause_names_the_promotes_that_pass_it
        pause_says_what_may_still_land
        person_rewind_put_back
        person_rewind_recorded_never_undone
        production_takes_staging_tips_only
        promote_ends_after_an_hour
        promote_is_stopped_by_a_hold
        promote_passes_lag_not_ci
        promote_says_what_stands_against_it
        promote_takes_the_newest_that_passes_all_else
        promote_to_any_commit_of_the_chain
        promotion_merge_on_a_fast_forward_edge
        pushed_off_and_on_again_starts_lag_anew
        quiet_is_reset_by_newer
        reboot_counts_the_wall
        refuse_backs_off_and_retry
        refuse_ends_with_another_candidate
        refuse_ends_with_another_config
        replica_takes_over
        rewind_survives_restart
        rewind_to_the_side
        rewound_after_a_crash_is_not_pushed_again
        rewound_while_a_push_is_under_way
        rollback_crash_after_push
        rollback_hold_covers_every_removed_commit
        rollback_holds_and_two_commands_to_go_again
        rollback_is_carried_through_after_a_crash
        rollback_needs_history
        rollback_only_where_allowed
        rollback_passes_pause_freeze_and_lag
        rollback_recorded_without_history
        rollback_refused_keeps_hold_and_pause
        rollback_whose_answer_is_lost
        schedule_first_look_within_a_slot
        schedule_one_per_slot_catch_up
        schedule_slot_used_by_what_overtook
        side_branch_from_below_cannot_fast_forward
        source_missing
        source_rewound_withdraws
        squash_named
        two_replicas_one_move
        unhold_any_commit_of_the_range
        unreachable_is_no_deletion
        unreachable_waits
        unrelated_histories
        window_deny_wins
        window_opens
        withdrawn_named
    }
    // These run on no forge.
    apart {
        disk_full_no_act: "the disk is Towpath's own, and the store is the same one in the real world"
        request_branch_cannot_be_read: "a forge tells itself where its branches are; what is cut off there is git's road alone"
        request_promote_goes_on_after_a_close: "it rests on who closed a request, which Gitea does not tell"
        request_promote_spares_what_is_approved: "which checks are required a forge says by its own rules"
        sink_down_tells_later: "messages go nowhere near a forge, and the sink is pretended"
    }
}

/// What happens around a move, where GitHub makes it by its API: elsewhere these are pushes of git.
mod moved_by_github {
    use super::{BOTH, GitHub, agrees_on};

    on_forge! {
        forward: GitHub BOTH ignored any() {
            crash_after_mark_pushing
            crash_after_push
            crash_before_push
            hotfix_while_a_push_is_under_way
            lose_answer_lands_once
            lost_push_is_given_up_and_a_person_decides
            overtaken_by_a_person
            refuse_backs_off_and_retry
            refuse_ends_with_another_candidate
            rewound_after_a_crash_is_not_pushed_again
            rewound_while_a_push_is_under_way
            rollback_refused_keeps_hold_and_pause
            rollback_whose_answer_is_lost
        }
    }
}

#[test]
fn every_file_is_listed_and_no_snapshot_is_left_over() {
    let names = |folder: PathBuf, ending: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        entries.filter_map(|name| Some(name.to_str()?.strip_suffix(ending)?.to_owned())).collect()
    };
    let listed: BTreeSet<String> = ALL.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(names(folder(), ".scn"), listed, "files and the list in tests/it/scenarios.rs differ");
    let kept = names(folder().join("snapshots"), ".snap");
    assert_eq!(kept.difference(&listed).collect::<Vec<_>>(), Vec::<&String>::new(), "snapshots of no file");
}

#[test]
fn mistakes_are_told_with_their_lines() {
    let text = "flow develop staging\nstart A\ncomit B on develop\nfault gremlins\nexpect staging=wait:lagg\n\
                pause shop staging\nexpect mooves 1";
    let Err(mistakes) = parse::parse("typo", text) else { panic!("all of that parsed") };
    kept_in(&own(), || insta::assert_snapshot!("mistakes", mistakes));
}

#[test]
fn a_failed_expectation_shows_what_is_and_the_transcript() {
    let text = "flow develop staging\nstart A\ncommit B on develop\ntick\nexpect staging=A";
    let script = parse::parse("wrong", text).unwrap();
    let failed = std::panic::catch_unwind(|| play::<SimStage>(&script, BY_MERGE)).unwrap_err();
    let said = failed.downcast_ref::<String>().unwrap();
    kept_in(&own(), || insta::assert_snapshot!("failed_expectation", said));
}
