#!/bin/sh
# Uses the portable program as a plain user without root: installs it, puts it beside an older one, and goes back. Prints a line
# for each thing that was tried; ends with 1 where one failed. Run by packaging/try_portable.py.
set -u
. "$(dirname "$0")/trying.sh"
export CHATDESK_DATA_DIR="$HOME/portable"
place=$HOME/.local/share/chatdesk-program
program=$HOME/.local/bin/chatdesk

starts() { # version: whether it is the one that starts
    [ "$("$program" --version)" = "chatdesk $1" ]
}

try "the .run is installed without root" "sh /tmp/try/chatdesk.run"
starts "$VERSION"
judge "its program starts" $?
try "the launcher starts it, too" "grep -q '^Exec=$place/current/chatdesk' \$HOME/.local/share/applications/chatdesk.desktop"
try "it asks and finds" "$program ask 'asked from the .run' && $program search asked | grep -q Threads"
try "it says how it is updated" "$program doctor | grep updates | grep -q 'newer .run file'"
try "it is removed" "sh $place/install.sh --remove && ! test -e $place && ! test -e $program"

try "an older one is installed" "sh /tmp/try/older.run"
starts "$OLDER"
judge "it is the older one" $?
try "nothing lies before it" "! sh $place/install.sh --previous"
try "data of the first one is there" "$program search asked | grep -q Threads"

try "the newer one is put beside it" "sh /tmp/try/chatdesk.run"
starts "$VERSION"
judge "the newer one starts" $?
try "the newer one asks and finds" "$program ask 'asked after the upgrade' && $program search 'from the .run' | grep -q Threads"
try "--previous goes back" "sh $place/install.sh --previous"
starts "$OLDER"
judge "the older one starts again" $?
try "it asks and finds what the newer one wrote" \
    "$program ask --new 'asked after going back' && $program search 'after the upgrade' | grep -q Threads"
try "--previous goes forward again" "sh $place/install.sh --previous"
starts "$VERSION"
judge "the newer one starts again" $?
try "the doctor finds nothing wrong" "$program doctor"
try "removing it leaves the data alone" "sh $place/install.sh --remove && ! test -e $place && test -s $CHATDESK_DATA_DIR/chatdesk.db"
rm -rf "$work"
exit $failed
