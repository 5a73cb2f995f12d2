#!/bin/sh
# Puts ChatDesk into a person's own folders, without root. Run again with a newer file, it replaces the program; data is not touched.
set -eu
home=${XDG_DATA_HOME:-$HOME/.local/share}
place=${CHATDESK_INSTALL_DIR:-$home/chatdesk-program}
case ${1:-} in
--remove)
    rm -rf "$place" "$home/applications/chatdesk.desktop" "$home/icons/hicolor/scalable/apps/chatdesk.svg" \
        "$home/mime/packages/chatdesk.xml" "$HOME/.local/bin/chatdesk"
    echo "ChatDesk is removed. Your threads are still in $home/chatdesk."
    exit 0
    ;;
esac
new=$place.new
rm -rf "$new"
mkdir -p "$new" "$home/applications" "$home/icons/hicolor/scalable/apps" "$home/mime/packages" "$HOME/.local/bin"
cp -R ./chatdesk ./_internal "$new/"
cp ./install.sh "$new/"
# The old program stays until the new one is whole.
rm -rf "$place.old"
[ ! -d "$place" ] || mv "$place" "$place.old"
mv "$new" "$place"
rm -rf "$place.old"
ln -sf "$place/chatdesk" "$HOME/.local/bin/chatdesk"
sed "s|^Exec=chatdesk|Exec=$place/chatdesk|; s|^TryExec=.*|TryExec=$place/chatdesk|" chatdesk.desktop > "$home/applications/chatdesk.desktop"
cp chatdesk.svg "$home/icons/hicolor/scalable/apps/"
cp chatdesk.mime.xml "$home/mime/packages/chatdesk.xml"
# Where the desktop has these, links and files open with ChatDesk at once, else from the next login on.
update-mime-database "$home/mime" 2> /dev/null || true
update-desktop-database "$home/applications" 2> /dev/null || true
echo "ChatDesk is installed in $place. Start it from the menu, or with ~/.local/bin/chatdesk."
