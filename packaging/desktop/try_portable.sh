#!/bin/sh
# Uses the portable program as a plain user without root: installs it, updates it from a feed on loopback under Xvfb, and goes
# back. Prints a line for each thing that was tried; ends with 1 where one failed. Run by packaging/try_portable.py.
set -u
. "$(dirname "$0")/trying.sh"
export CHATDESK_DATA_DIR="$HOME/portable"
export SSL_CERT_FILE=/tmp/try/authority.pem
place=$HOME/.local/share/chatdesk-program
program=$HOME/.local/bin/chatdesk

starts() { # version: whether it is the one that starts
    [ "$("$program" --version)" = "chatdesk $1" ]
}

size() { # that of the window with the keys
    xdotool getwindowgeometry --shell "$shown" | grep -E 'WIDTH|HEIGHT' | tr '\n' ' '
}

press_last() { # the last button, at the lower right of the window with the keys
    sleep 1 # until it stands still
    eval "$(size)"
    xdotool mousemove --window "$shown" $((WIDTH - 60)) $((HEIGHT - 40)) click 1
}

later() { # command: whether it succeeds within five minutes
    i=0
    while [ $i -lt 15 ]; do
        soon "$1" && return 0
        i=$((i + 1))
    done
    return 1
}

try "the .run is installed without root" "sh /tmp/try/chatdesk.run"
starts "$VERSION"
judge "its program starts" $?
try "the launcher starts it, too" "grep -q '^Exec=$place/current/chatdesk' \$HOME/.local/share/applications/chatdesk.desktop"
try "it asks and finds" "$program ask 'asked from the .run' && $program search asked | grep -q Threads"
try "it says how it is updated" "$program doctor | grep updates | grep -q 'newer .run file'"
try "it is removed" "sh $place/install.sh --remove && ! test -e $place && ! test -e $program"

try "an older one with a feed is installed" "sh /tmp/try/older.run"
starts "$OLDER"
judge "it is the older one" $?
try "nothing lies before it" "! sh $place/install.sh --previous"
try "data of the first one is there" "$program search asked | grep -q Threads"

Xvfb :78 -screen 0 1280x900x24 > /dev/null 2>&1 &
screen=$!
export DISPLAY=:78
soon "xdotool getdisplaygeometry"
"$program" > "$work/window" 2>&1 &
window=$!
focused ChatDesk
if judge "its window" $?; then
    sleep 3
    run_command "Updates"
    focused Updates
    judge "the dialog of updates" $?
    small=$(size)
    press_last
    later "! xdotool getwindowgeometry --shell $shown | grep -E 'WIDTH|HEIGHT' | tr '\n' ' ' | grep -q '$small'"
    judge "it grows for what the feed offers" $?
    press_last
    later "$program --version | grep -q '^chatdesk $VERSION$'"
    starts "$VERSION"
    judge "the feed brings the newer version" $?
    xdotool key Escape
fi
kill -TERM $window
wait $window
try "a backup was made before the update" "ls $CHATDESK_DATA_DIR/backups/*-pre-$VERSION-*"
try "the newer one asks and finds" "$program ask 'asked after the update' && $program search 'from the .run' | grep -q Threads"
try "--previous goes back" "sh $place/install.sh --previous"
starts "$OLDER"
judge "the older one starts again" $?
try "it asks and finds what the newer one wrote" \
    "$program ask --new 'asked after going back' && $program search 'after the update' | grep -q Threads"
try "--previous goes forward again" "sh $place/install.sh --previous"
starts "$VERSION"
judge "the newer one starts again" $?
try "the doctor finds nothing wrong" "$program doctor"
try "removing it leaves the data alone" "sh $place/install.sh --remove && ! test -e $place && test -s $CHATDESK_DATA_DIR/chatdesk.db"
kill $screen
grep -i traceback "$work/window" && failed=1
[ $failed -eq 0 ] || cat "$work/window"
rm -rf "$work"
exit $failed
