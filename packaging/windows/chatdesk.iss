; Set-up for Windows, of the folder that `python packaging/package.py build` makes there: for one person, without an
; administrator. Inno Setup 6.3 or newer; see packaging/desktop/README.md.
;
;   iscc /DVersion=0.0.0 packaging\windows\chatdesk.iss
;
; With /DSign it signs what it packs: /Ssigner="signtool sign /fd sha256 /tr TIMESTAMP-SERVER /td sha256 /a $f".

#ifndef Version
  #error Name the version: /DVersion=...
#endif

[Setup]
AppId={{6C0B5F0E-2F5B-4B57-9A0B-3C8B61C7B6A1}
AppName=ChatDesk
AppVersion={#Version}
AppVerName=ChatDesk {#Version}
AppPublisher=The ChatDesk developers
AppPublisherURL=https://chatdesk.example/
VersionInfoVersion={#Version}
DefaultDirName={autopf}\ChatDesk
DefaultGroupName=ChatDesk
DisableProgramGroupPage=yes
PrivilegesRequired=lowest
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0.17763
LicenseFile=..\..\LICENSE
SourceDir=.
OutputDir=..\..\build\package
OutputBaseFilename=chatdesk-{#Version}-setup
SetupIconFile=..\..\build\package\chatdesk.ico
UninstallDisplayIcon={app}\chatdesk-window.exe
Compression=lzma2
SolidCompression=yes
WizardStyle=modern
CloseApplications=yes
ChangesAssociations=yes
#ifdef Sign
SignTool=signer
SignedUninstaller=yes
#endif

[Languages]
Name: "en"; MessagesFile: "compiler:Default.isl"
Name: "de"; MessagesFile: "compiler:Languages\German.isl"
Name: "fr"; MessagesFile: "compiler:Languages\French.isl"
Name: "es"; MessagesFile: "compiler:Languages\Spanish.isl"
Name: "pt_BR"; MessagesFile: "compiler:Languages\BrazilianPortuguese.isl"
Name: "ja"; MessagesFile: "compiler:Languages\Japanese.isl"
; Arabic and Chinese come with newer ones of Inno Setup only.
#if FileExists(CompilerPath + "Languages\Arabic.isl")
Name: "ar"; MessagesFile: "compiler:Languages\Arabic.isl"
#endif
#if FileExists(CompilerPath + "Languages\ChineseSimplified.isl")
Name: "zh_CN"; MessagesFile: "compiler:Languages\ChineseSimplified.isl"
#endif

[Files]
#ifdef Sign
Source: "..\..\build\package\dist\chatdesk\*.exe"; DestDir: "{app}"; Flags: ignoreversion signonce
#else
Source: "..\..\build\package\dist\chatdesk\*.exe"; DestDir: "{app}"; Flags: ignoreversion
#endif
Source: "..\..\build\package\dist\chatdesk\_internal\*"; DestDir: "{app}\_internal"; Flags: ignoreversion recursesubdirs

[InstallDelete]
; Modules of the version before would be loaded beside the new ones.
Type: filesandordirs; Name: "{app}\_internal"

[Icons]
Name: "{autoprograms}\ChatDesk"; Filename: "{app}\chatdesk-window.exe"

[Registry]
; Links and files only show what they name; they never act by themselves.
Root: HKA; Subkey: "Software\Classes\chatdesk"; ValueType: string; ValueData: "URL:ChatDesk"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\chatdesk"; ValueType: string; ValueName: "URL Protocol"; ValueData: ""
Root: HKA; Subkey: "Software\Classes\chatdesk\shell\open\command"; ValueType: string; ValueData: """{app}\chatdesk-window.exe"" open -- ""%1"""
Root: HKA; Subkey: "Software\Classes\.chatdesk"; ValueType: string; ValueData: "ChatDesk.Export"; Flags: uninsdeletevalue
Root: HKA; Subkey: "Software\Classes\.chatdesk-invite"; ValueType: string; ValueData: "ChatDesk.Invitation"; Flags: uninsdeletevalue
Root: HKA; Subkey: "Software\Classes\ChatDesk.Export"; ValueType: string; ValueData: "Chats of ChatDesk"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\ChatDesk.Export\shell\open\command"; ValueType: string; ValueData: """{app}\chatdesk-window.exe"" open -- ""%1"""
Root: HKA; Subkey: "Software\Classes\ChatDesk.Invitation"; ValueType: string; ValueData: "Invitation to a team in ChatDesk"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\ChatDesk.Invitation\shell\open\command"; ValueType: string; ValueData: """{app}\chatdesk-window.exe"" open -- ""%1"""

[Run]
Filename: "{app}\chatdesk-window.exe"; Description: "{cm:LaunchProgram,ChatDesk}"; Flags: nowait postinstall skipifsilent

; Nothing of a person's is named in [UninstallDelete]: threads, settings and backups stay.
