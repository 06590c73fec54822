#!/bin/sh
# The baseline of scripts/bench: what teams run from cron, for one repository. No gates, no memory, no reasons.
#   bench-flows.sh REPOSITORY CLONE
set -eu
[ -d "$2" ] || git clone -q --bare --no-hardlinks "$1" "$2"
git -C "$2" fetch -q "$1" '+refs/heads/*:refs/heads/*'
step() {
  # shellcheck disable=SC2046 # two ids
  set -- "$1" "$2" "$3" "$4" $(git -C "$2" rev-parse "$3" "$4")
  [ "$5" = "$6" ] && return
  git -C "$2" merge-base --is-ancestor "$6" "$5" || { echo "$1: $4 is not an ancestor of $3" >&2; return; }
  git -C "$2" push -q "$1" "$5:refs/heads/$4"
}
# Target-most first: a commit crosses one border a run.
step "$1" "$2" staging production
step "$1" "$2" develop staging
