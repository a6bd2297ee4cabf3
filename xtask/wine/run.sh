#!/bin/sh
# Runs a test program under Wine: run.sh WINE SECONDS PROGRAM [ARGUMENT..]
#
# Every test program prints how many tests it will run before it runs one. On a
# loaded machine Wine rarely ends a program before it began, sometimes with
# success: what printed nothing is started again, twice at most, and then fails.

wine=$1 seconds=$2
shift 2
output=$(mktemp) || exit 1
trap 'rm -f "$output"' EXIT

for attempt in 1 2 3; do
    timeout --kill-after=5 "$seconds" "$wine" "$@" >"$output"
    status=$?
    if [ -s "$output" ]; then
        cat "$output"
        exit "$status"
    fi
    echo "run.sh: $1 printed nothing in attempt $attempt (status $status)" >&2
done
exit 1
