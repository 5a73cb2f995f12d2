#!/bin/sh
# Puts ChatDesk into a person's own folders, without root. Run again with a newer file, it puts the newer version beside the
# present one, which stays as the way back (--previous). Data is not touched.
set -eu
home=${XDG_DATA_HOME:-$HOME/.local/share}
place=${CHATDESK_INSTALL_DIR:-$home/chatdesk-program}

# Points the link $1 at the folder $2, in one rename.
point() {
    rm -f "$place/.link"
    ln -s "$2" "$place/.link"
    mv -T "$place/.link" "$place/$1"
}

# Tells whether a program of the folder $1 runs: without it, it would find nothing any more of what it has not loaded yet.
runs() {
    ls -l /proc/[0-9]*/exe 2> /dev/null | grep -qF -e "-> $(readlink -f "$1")/"
}

# Where the desktop has these, links and files open with ChatDesk at once, else from the next login on.
tell_desktop() {
    update-mime-database "$home/mime" 2> /dev/null || true
    update-desktop-database "$home/applications" 2> /dev/null || true
}

case ${1:-} in
--remove)
    rm -rf "$place" "$home/applications/chatdesk.desktop" "$home/icons/hicolor/scalable/apps/chatdesk.svg" \
        "$home/mime/packages/chatdesk.xml" "$HOME/.local/bin/chatdesk"
    tell_desktop
    echo "ChatDesk is removed. Your threads are still in $home/chatdesk."
    exit 0
    ;;
--previous)
    now=$(readlink "$place/current")
    before=$(readlink "$place/previous" || true)
    if [ -z "$before" ] || [ "$before" = "$now" ] || [ ! -x "$place/$before/chatdesk" ]; then
        echo "There is no version before this one. Nothing was changed." >&2
        exit 1
    fi
    point current "$before"
    point previous "$now"
    echo "${before#versions/} starts next time instead of ${now#versions/}; --previous again goes forward."
    echo "It reads the data of a newer version. To write, restore the backup from before the update: chatdesk restore --list"
    exit 0
    ;;
esac
version=$(./chatdesk --version | cut -d ' ' -f 2)
case $version in
'' | *[!0-9.]*)
    echo "ChatDesk does not start on this computer. Nothing was changed." >&2
    exit 1
    ;;
esac
mkdir -p "$place/versions" "$home/applications" "$home/icons/hicolor/scalable/apps" "$home/mime/packages" "$HOME/.local/bin"
new=$place/versions/.new
rm -rf "$new"
mkdir "$new"
cp -R ./chatdesk ./_internal "$new/"
# A version that is there already stays until the new copy of it starts.
name=$version
count=1
while [ -e "$place/versions/$name" ]; do
    count=$((count + 1))
    name=$version-$count
done
mv "$new" "$place/versions/$name"
[ ! -L "$place/current" ] || point previous "$(readlink "$place/current")"
point current "versions/$name"
for each in "$place/versions"/*; do
    case versions/${each##*/} in
    "$(readlink "$place/current")" | "$(readlink "$place/previous" || true)") ;;
    *) runs "$each" || rm -rf "$each" ;;
    esac
done
cp ./install.sh "$place/"
ln -sf "$place/current/chatdesk" "$HOME/.local/bin/chatdesk"
sed "s|^Exec=chatdesk|Exec=$place/current/chatdesk|; s|^TryExec=.*|TryExec=$place/current/chatdesk|" chatdesk.desktop > "$home/applications/chatdesk.desktop"
cp chatdesk.svg "$home/icons/hicolor/scalable/apps/"
cp chatdesk.mime.xml "$home/mime/packages/chatdesk.xml"
tell_desktop
echo "ChatDesk $version is installed in $place. Start it from the menu, or with ~/.local/bin/chatdesk."
