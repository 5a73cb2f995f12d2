#!/bin/sh
# What a plain user does before an upgrade, after it, and on the way back: `try_upgrade.sh older`, with the version before,
# leaves things of every kind; `newer` looks for them and adds some; `again`, with the version before, goes back by the
# backup that was made before the upgrade; `back`, with the version of this commit, meets the database of one after it.
# Prints a line for each thing that was tried. Run by packaging/try_package.py, in a session with a keyring.
set -u
. "$(dirname "$0")/trying.sh"
kept=$HOME/kept
backups=$HOME/.local/share/chatdesk-backups
export HARBOUR_KEY=

threads() { # the threads, with how much each holds
    chatdesk threads | sort
}

settings_hold() { # a question of 3,000 letters is over the limit that the settings have
    head -c 3000 /dev/zero | tr '\0' a | chatdesk ask - 2>&1 | grep "limit is 2,000"
}

attachment_holds() { # the bytes of the file come out of an export as they went in
    chatdesk export "$(cat "$kept/attached")" --format json --output "$work/attached.zip" &&
        unzip -p "$work/attached.zip" | grep -aq "The depth here is seventeen fathoms"
}

try_what_was_kept() {
    threads > "$work/threads"
    try "threads and messages are as they were" "diff $kept/threads $work/threads"
    try "they are found" 'chatdesk search "before the upgrade" | grep -q Threads && chatdesk search fathoms | grep -q chart.txt'
    attachment_holds > "$work/out" 2>&1
    judge "an attached file is whole" $?
    settings_hold > "$work/out" 2>&1
    judge "the settings hold" $?
    try "the key in the keyring goes to the server of tools" "chatdesk tools test keyed"
    try "the doctor finds nothing wrong" "chatdesk doctor"
}

case $1 in
older)
    mkdir -p "$kept" "$HOME/.config/chatdesk"
    try "a question is asked" 'chatdesk ask "asked before the upgrade"'
    try "a thread with an attached file is imported" "chatdesk import /tmp/try/chart.zip"
    chatdesk threads | awk '/Chart/ { print $1 }' > "$kept/attached"
    try "chats of another program are imported" "chatdesk import /tmp/try/chatgpt.json"
    printf '[limits]\nmax_message_bytes = 2000\n' > "$HOME/.config/chatdesk/settings.toml"
    settings_hold > "$work/out" 2>&1
    judge "a setting is made" $?
    export HARBOUR_KEY=light
    try "a key is put into the keyring" \
        'chatdesk tools add --secret HARBOUR_KEY keyed sh -c "test \"\$HARBOUR_KEY\" = light && exec chatdesk mcp"'
    export HARBOUR_KEY=
    try "the server of tools gets it from there" "chatdesk tools test keyed"
    try "a project is shared with a team" \
        "chatdesk team create --name Harbour --my-name Ada --url $TEAM_URL --without-tls && chatdesk team share --yes Personal"
    threads > "$kept/threads"
    ;;
newer)
    try_what_was_kept
    try "a backup was made before the upgrade" "ls $backups/chatdesk-pre-*.db"
    try "the team is synced" 'chatdesk team sync && chatdesk team members | grep -q Ada'
    try "more is asked after the upgrade" 'chatdesk ask --new "asked after the upgrade"'
    try "the team gets it" "chatdesk team sync"
    try "what was written since is saved" "chatdesk export --all --format json --output $kept/since.zip"
    cp "$HOME/.local/share/chatdesk/chatdesk.db" "$kept/newer.db"
    ;;
again)
    try "the older one writes nothing into the newer database" \
        "! chatdesk ask 'asked too early' && cmp $kept/newer.db $HOME/.local/share/chatdesk/chatdesk.db"
    chatdesk doctor > "$work/doctor" 2>&1
    # Version 0.1.0 knows no newer database; it takes it for one that somebody changed, and leaves it alone as well.
    try "it says why" "grep -iE 'newer|did not put there' $work/doctor"
    try "the backup is listed" "chatdesk restore --list | grep pre-"
    try "it is restored" "chatdesk restore --yes \$(ls -t $backups/chatdesk-pre-*.db | head -1)"
    try_what_was_kept
    try "the newer database is kept" "ls $backups/before-restore-*"
    try "the team is joined again and synced" 'chatdesk team join --yes || chatdesk team join-again --yes; chatdesk team sync'
    try "what was written since is imported, or refused with nothing changed" \
        "chatdesk import $kept/since.zip || grep -q format $work/out"
    try "what was written since is there" 'chatdesk search "after the upgrade" | grep -q Threads'
    try "the older one asks again" 'chatdesk ask --new "asked after the way back"'
    ;;
back)
    cp "$HOME/.local/share/chatdesk/chatdesk.db" "$kept/newest.db"
    try "a newer database is read" 'chatdesk search "after the way back" | grep -q Threads && chatdesk threads | grep -q Chart'
    chatdesk ask "asked too early" > "$work/refused" 2>&1
    judge "nothing is asked in it" $((!$?))
    try "it says why, and what to do" \
        "grep 'This data belongs to a newer ChatDesk' $work/refused && grep 'Update ChatDesk' $work/refused && ! grep Traceback $work/refused"
    try "the doctor says it" "! chatdesk doctor > $work/doctor 2>&1 && grep 'belongs to a newer ChatDesk' $work/doctor"
    QT_QPA_PLATFORM=offscreen chatdesk > "$work/window" 2>&1 &
    window=$!
    sleep 3
    try "a window opens over it" "kill -0 $window && chatdesk threads | grep -q Chart"
    kill -TERM $window
    wait $window
    judge "the window ends as it should" $?
    try "not a byte is written into it" "cmp $kept/newest.db $HOME/.local/share/chatdesk/chatdesk.db && ! test -s $HOME/.local/share/chatdesk/chatdesk.db-wal"
    try "a backup leads back" "chatdesk restore --yes \$(ls -t $backups/chatdesk-pre-*.db | head -1) && chatdesk ask --new 'asked again'"
    ;;
esac
rm -rf "$work"
exit $failed
