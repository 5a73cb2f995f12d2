# What try_program.sh and try_window.sh share: a folder for their files, and a line for each thing that is tried.
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
