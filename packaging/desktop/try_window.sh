#!/bin/sh
# Uses the window of the installed program under Xvfb, by keys, links and files, as a plain user does. Prints a line for each
# thing that was tried; ends with 1 where one of them failed. Run by packaging/try_package.py.
set -u
. "$(dirname "$0")/trying.sh"

# The browser: it notes what it is to open, with which libraries, and what a page says of itself.
mkdir "$work/bin"
cat > "$work/bin/xdg-open" << EOF
#!/bin/sh
echo "\$1" >> "$work/opened"
echo "libraries: \${LD_LIBRARY_PATH:-the system's own}" >> "$work/opened"
case \$1 in
http*)
    curl -is --max-time 10 "\$1" > "$work/page"
    frame=\$(sed -n 's/.*<iframe [^>]*src="\([^"]*\)".*/\1/p' "$work/page")
    curl -is --max-time 10 "\${1%/*}\$frame" > "$work/frame"
    ;;
esac
EOF
chmod 755 "$work/bin/xdg-open"
export PATH="$work/bin:$PATH"

asked_in() { # thread, words: whether they stand there soon
    soon "chatdesk show $1 | grep -q '$2'"
}

found_soon() { # words that were asked
    soon "chatdesk search '$1' | grep -q Threads"
}

chatdesk ask "which thread is this" > /dev/null
first=$(chatdesk threads | awk 'NR == 1 { print $1 }')
chatdesk ask "and which is this" > /dev/null
second=$(chatdesk threads | awk 'NR == 1 { print $1 }')
chatdesk import /tmp/try/page.json > "$work/out" 2>&1
page=$(chatdesk threads | awk '/A page/ { print $1 }')
chatdesk export "$first" --format json --output "$work/chats.chatdesk" > "$work/out" 2>&1

Xvfb :77 -screen 0 1280x900x24 > /dev/null 2>&1 &
screen=$!
export DISPLAY=:77
soon "xdotool getdisplaygeometry"
chatdesk > "$work/window" 2>&1 &
window=$!
focused ChatDesk
if judge "a window on X11" $?; then
    sleep 2
    say "typed into the window"
    found_soon "typed into"
    judge "what is typed there is asked" $?

    chatdesk open "$first"
    sleep 2
    focused ChatDesk
    say "said after open"
    asked_in "$first" "said after open"
    judge "chatdesk open shows a thread" $?

    gio open "chatdesk://thread/$second" > "$work/out" 2>&1
    sleep 2
    focused ChatDesk
    say "said after the link"
    asked_in "$second" "said after the link"
    judge "a link of the desktop shows a thread" $?

    chatdesk quick
    focused "Quick question"
    judge "chatdesk quick shows its window" $?
    say "asked in the quick window"
    found_soon "quick window"
    judge "what is typed there is asked, too" $?
    xdotool key Escape

    try "a .chatdesk file has its type" \
        "gio info -a standard::content-type $work/chats.chatdesk | grep -q application/x-chatdesk"
    gio open "$work/chats.chatdesk" > "$work/out" 2>&1
    focused Import
    judge "a .chatdesk file opens the import" $?
    xdotool key Escape
    sleep 1

    focused ChatDesk
    xdotool key F1
    soon "grep -q index.html $work/opened"
    try "F1 opens the pages of help" \
        "grep -q 'First five minutes' \$(sed -n 's|^file://||p' $work/opened | head -1)"
    try "a browser gets the libraries of the system" \
        "grep -q \"libraries: the system's own\" $work/opened && ! grep -q 'libraries: /' $work/opened"

    chatdesk open "$page"
    sleep 2
    focused ChatDesk
    run_command "Open the page of an answer in the browser"
    soon "test -s $work/frame"
    try "a page of an answer is served, sandboxed, once" \
        "grep -q '<iframe sandbox=.allow-scripts.' $work/page && grep -q Fresnel $work/frame &&
        grep -qi \"^content-security-policy: sandbox allow-scripts; default-src 'none'\" $work/frame &&
        ! curl -fs \$(sed -n '/^http/p' $work/opened | head -1)"
fi
[ $failed -eq 0 ] || cat "$work/window" "$work/opened" "$work/page" "$work/frame" 2> /dev/null
kill -TERM $window
wait $window
kill $screen
grep -i traceback "$work/window" && failed=1
rm -rf "$work"
exit $failed
