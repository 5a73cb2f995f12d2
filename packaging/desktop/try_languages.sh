#!/bin/sh
# Uses the installed program in other languages, on a system whose fonts are those that the package recommends: the command
# line, the names that a screen reader hears, and pictures of the window, left in /tmp/try/pictures. Prints a line for each
# thing that was tried; ends with 1 where one of them failed. Run by packaging/try_package.py, in a session of D-Bus.
set -u
. "$(dirname "$0")/trying.sh"
export CHATDESK_DATA_DIR="$work/data"

try "the help is German" "LANG=de_DE.UTF-8 chatdesk --help | grep -q 'eine Frage stellen'"
try "the doctor is German" "LANG=de_DE.UTF-8 chatdesk doctor | grep -q 'Datenverzeichnis'"
for each in ja zh-cn ar; do
    try "a font has the letters of $each" "fc-list :lang=$each | grep -q ."
done
chatdesk ask "灯台はどこですか" > /dev/null
chatdesk ask --new "灯塔在哪里？" > /dev/null
chatdesk ask --new "أين المنارة؟" > /dev/null

Xvfb :79 -screen 0 1280x900x24 > /dev/null 2>&1 &
screen=$!
export DISPLAY=:79
soon "xdotool getdisplaygeometry"
for each in de_DE ja_JP zh_CN ar_EG; do
    LANG=$each.UTF-8 QT_LINUX_ACCESSIBILITY_ALWAYS_ON=1 chatdesk > "$work/window" 2>&1 &
    window=$!
    focused ChatDesk
    judge "a window in $each" $?
    sleep 4
    scrot -o "/tmp/try/pictures/$each.png"
    if [ $each = de_DE ]; then
        python3 /tmp/try/try_names.py > "$work/names" 2>&1
        cp "$work/names" /tmp/try/pictures/names.txt
        try "a screen reader hears German" "grep -qx 'Alles durchsuchen' $work/names && grep -qx Einstellungen $work/names"
    fi
    kill -TERM $window
    wait $window
done
kill $screen
rm -rf "$work"
exit $failed
