# What the scripts beside it share: a folder for their files, a line for each thing that is tried, and keys for windows.
export LANG=C.UTF-8
failed=0
work=$(mktemp -d)

judge() { # name, 0 where it is so; what $work/out has is shown where it is not
    if [ "$2" -eq 0 ]; then
        echo "ok      $1"
        return 0
    fi
    echo "FAILED  $1"
    sed 's/^/        /' "$work/out" | tail -15
    failed=1
    return 1
}

try() { # name, command
    sh -c "$2" > "$work/out" 2>&1
    judge "$1" $?
}

soon() { # command: whether it succeeds within twenty seconds
    i=0
    while [ $i -lt 100 ]; do
        sh -c "$1" > /dev/null 2>&1 && return 0
        sleep 0.2
        i=$((i + 1))
    done
    return 1
}

focused() { # name of a window, which gets the keys from now on
    soon "xdotool search --onlyvisible --name '$1'" || return 1
    shown=$(xdotool search --onlyvisible --name "$1" | tail -1)
    xdotool windowraise "$shown" windowfocus "$shown"
    sleep 0.5
}

say() { # words, typed and sent
    xdotool type --delay 20 "$1"
    xdotool key Return
}

run_command() { # words of a command of the window, chosen in the palette
    xdotool key ctrl+k
    sleep 1
    xdotool type --delay 20 ">$1"
    sleep 1
    xdotool key Return
    sleep 1
}
