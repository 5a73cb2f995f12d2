#!/bin/sh
# Uses the installed program as a plain user does, in a system without Python. Prints a line for each thing that was tried;
# ends with 1 where one of them failed. Run by packaging/try_package.py; what is seen of the window: try_window.sh.
set -u
. "$(dirname "$0")/trying.sh"

try "no Python is here" '! command -v python3'
try "it says its version" 'chatdesk --version | grep -q "^chatdesk [0-9]"'
try "a question is answered and found again" \
    'chatdesk ask "where is the harbour light" && chatdesk search harbour | grep -q "harbour light"'
id=$(chatdesk threads | awk 'NR == 1 { print $1 }')
try "an export of another program is imported" 'chatdesk import /tmp/try/chatgpt.json'
try "export to PDF, by the processes that render and print" \
    "chatdesk export $id --format pdf --output $work/a.pdf && pdftotext $work/a.pdf - | grep -q harbour"
try "files are read by the process for them, and found" \
    "printf '<html><body><article><p>The lantern room has two galleries.</p></article></body></html>' > $work/page.html &&
    chatdesk --data-dir $work/files ask --attach $work/a.pdf --attach $work/page.html 'what is this' &&
    chatdesk --data-dir $work/files search harbour | grep -q a.pdf &&
    chatdesk --data-dir $work/files search galleries | grep -q page.html"
try "export to HTML" "chatdesk export $id --format html --output $work/a.html && grep -q harbour $work/a.html"
chatdesk import /tmp/try/drawings.json > "$work/out" 2>&1
drawn=$(chatdesk threads | awk '/Drawings/ { print $1 }')
try "formulas and diagrams are drawn" \
    "chatdesk export $drawn --format html --output $work/d.html && grep -q '<svg' $work/d.html && grep -q 'class=.diagram' $work/d.html"
try "a backup is made and restored" \
    "chatdesk backup $work/b.zip && chatdesk restore --yes $work/b.zip && chatdesk search harbour | grep -q harbour"
try "a server of tools runs in its process" 'chatdesk tools add own chatdesk mcp && chatdesk tools test own'
try "keys lie in the keyring of the desktop" \
    'dbus-run-session -- sh -c "echo pass | gnome-keyring-daemon --unlock --components=secrets > /dev/null; chatdesk doctor" | grep "keyring" | grep -q "^ok"'
try "the doctor finds nothing wrong" 'chatdesk doctor'
try "made-up threads fill a directory" "chatdesk --data-dir $work/demo demo-data --messages 100 | grep -q '100 messages'"
try "ChatDesk speaks the languages that it is translated to" \
    'for each in ar de es fr ja pt_BR zh_CN; do
        test -s /usr/lib/chatdesk/_internal/translations/chatdesk_$each.qm || exit 1
        test -s /usr/lib/chatdesk/_internal/PySide6/Qt/translations/qtbase_$each.qm || exit 1
    done
    [ $(ls /usr/lib/chatdesk/_internal/translations | wc -l) -eq 7 ]
    [ $(ls /usr/lib/chatdesk/_internal/PySide6/Qt/translations | wc -l) -eq 8 ]'
try "the pages of help are here" 'grep -q "First five minutes" /usr/lib/chatdesk/_internal/site/index.html'

chatdesk tokens new tests > "$work/token" 2>&1
chatdesk serve --port 43991 > "$work/serve" 2>&1 &
served=$!
try "the local service answers" \
    "for i in \$(seq 50); do curl -fs http://127.0.0.1:43991/health && exit 0; sleep 0.2; done; cat $work/serve; exit 1"
kill -TERM $served
wait $served
[ $? -le 143 ] || failed=1

if [ -n "${TEAM_URL:-}" ]; then
    cat > "$work/team" << EOF
echo pass | gnome-keyring-daemon --unlock --components=secrets > /dev/null
chatdesk team create --name Harbour --my-name Ada --url $TEAM_URL --without-tls && chatdesk team share --yes Personal
EOF
    try "a team's Postgres gets what is shared" "dbus-run-session -- sh $work/team"
fi

QT_QPA_PLATFORM=offscreen chatdesk > "$work/unseen" 2>&1 &
window=$!
sleep 3
try "a window without a screen answers scripts" 'chatdesk ask "asked through the window" && chatdesk search "through the window" | grep -q Threads'
kill -TERM $window
wait $window
try "it ends when it is told to" "[ $? -eq 0 ]"

grep -i traceback "$work/unseen" "$work/serve" && failed=1
rm -rf "$work"
exit $failed
