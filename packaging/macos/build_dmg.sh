#!/bin/sh
# Packs build/package/dist/ChatDesk.app into a .dmg, on macOS after `python3 packaging/package.py build`. With
# CHATDESK_CODESIGN_IDENTITY (“Developer ID Application: …”) it signs, with CHATDESK_NOTARY_PROFILE (what `xcrun notarytool
# store-credentials` stored in the keychain) it has Apple examine the result, and staples the answer to it.
set -eu
cd "$(dirname "$0")/../.."
app=build/package/dist/ChatDesk.app
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' chatdesk/__init__.py)
image=build/package/ChatDesk-$version.dmg
identity=${CHATDESK_CODESIGN_IDENTITY:-}
if [ -n "$identity" ]; then
    # PyInstaller has signed what is inside; the bundle comes last, since its signature covers all of it.
    codesign --force --timestamp --options runtime --entitlements packaging/macos/entitlements.plist --sign "$identity" "$app"
    codesign --verify --deep --strict "$app"
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp -R "$app" "$folder/"
ln -s /Applications "$folder/Applications"
rm -f "$image"
hdiutil create -volname "ChatDesk $version" -srcfolder "$folder" -format UDZO "$image"
if [ -n "$identity" ]; then
    codesign --force --timestamp --sign "$identity" "$image"
fi
if [ -n "${CHATDESK_NOTARY_PROFILE:-}" ]; then
    xcrun notarytool submit "$image" --keychain-profile "$CHATDESK_NOTARY_PROFILE" --wait
    xcrun stapler staple "$image"
    spctl --assess --type open --context context:primary-signature "$image"
fi
echo "$image"
